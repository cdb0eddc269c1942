import type { ByteRange } from "../../evidence/ports/store.ts";

/**
 * The one range that a `Range` field asks for (RFC 9110 section 14.2), cut to `sizeBytes`. `whole` where there is none
 * or it is of a form that may be ignored (several ranges, another unit); `unsatisfiable` where it lies behind the end.
 */
export function rangeOf(
  field: string | undefined,
  sizeBytes: number,
): ByteRange | "whole" | "unsatisfiable" {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(field?.trim() ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (first === "" && last === "") return "whole";
  if (first === "") {
    const suffix = Math.min(Number(last), sizeBytes);
    return suffix === 0 ? "unsatisfiable" : { start: sizeBytes - suffix, end: sizeBytes };
  }
  const start = Number(first);
  const end = last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== "" && Number(last) < start) return "whole";
  return start >= sizeBytes ? "unsatisfiable" : { start, end };
}
