import { ExhibitError } from "../evidence/errors.ts";
import type { Capabilities } from "../evidence/ports/store.ts";

const mebibyte = 1024 * 1024;

/**
 * The shortest that the parts of a file may be where a store takes any length: twice as many of them fit into the store's
 * number of parts, so that parts held from before, cut otherwise, never make them too many.
 */
export function shortestPartBytes(
  sizeBytes: number,
  { minBytes, maxParts }: Capabilities["parts"],
): number {
  return Math.max(minBytes, Math.ceil((2 * sizeBytes) / maxParts));
}

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
