import { badRequest } from "../http/answer.ts";
import type { Call } from "../http/call.ts";

const largestOffset = 9999;

/** One page of entries by offset, or by a marker. */
export interface Page<T> {
  readonly entries: readonly T[];
  /** What the list's body says about the page. */
  readonly about: Readonly<Record<string, unknown>>;
}

/** Cuts the page that a call asks for: by marker where it says so, which are never a sign of how many there are. */
export function pageOf<T>(
  call: Call,
  all: readonly T[],
  limits: { readonly usual: number; readonly most: number; readonly ours: number },
): Page<T> {
  const limit = Math.min(call.number("limit", limits.usual), limits.most, limits.ours);
  if (limit === 0) throw badRequest("Invalid value '0' for limit");
  if (call.query.get("usemarker") === "true") {
    const at = markedAt(call.query.get("marker"));
    const end = at + limit;
    const about =
      end < all.length ? { limit, next_marker: marker(end) } : { limit, next_marker: null };
    return { entries: all.slice(at, end), about };
  }
  const offset = call.number("offset", 0);
  if (offset > largestOffset) throw badRequest("Invalid value for offset: it is too large");
  const about = { total_count: all.length, offset, limit };
  return { entries: all.slice(offset, offset + limit), about };
}

function marker(at: number): string {
  return Buffer.from(`{"type":"at","at":${at}}`).toString("base64url");
}

function markedAt(text: string | null): number {
  if (text === null || text === "") return 0;
  const [, at] =
    /^\{"type":"at","at":(\d+)\}$/.exec(Buffer.from(text, "base64url").toString()) ?? [];
  if (at === undefined) throw badRequest("Invalid value for marker");
  return Number(at);
}
