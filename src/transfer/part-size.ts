import { ExhibitError } from "../evidence/errors.ts";
import type { Capabilities } from "../evidence/ports/store.ts";

const mebibyte = 1024 * 1024;

/**
 * The part size for a file of `sizeBytes`: the wanted one, raised by whole MiB until the file fits into the store's
 * number of parts, and kept within its limits.
 *
 * @throws ExhibitError `policy.too-large` when it fits at no part size
 */
export function choosePartBytes(
  sizeBytes: number,
  wantedBytes: number,
  { parts, maxObjectBytes }: Capabilities,
): number {
  const needed = Math.ceil(sizeBytes / parts.maxParts);
  const wanted = Math.min(Math.max(wantedBytes, parts.minBytes), parts.maxBytes);
  const raised = needed <= wanted ? wanted : Math.ceil(needed / mebibyte) * mebibyte;
  const chosen = Math.min(raised, parts.maxBytes);
  if (sizeBytes > maxObjectBytes || chosen < needed) {
    const limit = Math.min(maxObjectBytes, parts.maxBytes * parts.maxParts);
    throw new ExhibitError("policy.too-large", "The file is larger than this store can take.", {
      hint: "Use another store, or have the recorder export it in several files.",
      facts: { sizeBytes, limitBytes: limit },
    });
  }
  return chosen;
}
