import { sha1Of, sha256Of } from "../evidence/digest.ts";
import type { Part } from "../evidence/ports/store.ts";
import type { WantedDigests } from "./content-hash.ts";

/**
 * A part of a file with the digest that its store compares, worked out at once: the SHA-1 where that is it, and then the SHA-256 only
 * if somebody asks for it.
 */
export function partOf(offset: number, bytes: Uint8Array, { comparesSha1 }: WantedDigests): Part {
  const length = bytes.byteLength;
  if (!comparesSha1) return { offset, length, sha256: sha256Of(bytes), bytes };
  let sha256: string | undefined;
  return {
    offset,
    length,
    bytes,
    sha1: sha1Of(bytes),
    get sha256() {
      return (sha256 ??= sha256Of(bytes));
    },
  };
}
