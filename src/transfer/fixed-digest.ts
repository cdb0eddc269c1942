import { ExhibitError } from "../evidence/errors.ts";
import type { SourceEntry } from "../evidence/ports/source.ts";

/** The SHA-256 that was fixed of a file before anything was sent, by where it lies; undefined where it could not be worked out. */
export type FixedDigests = (location: string) => string | undefined;

/**
 * Refuses content that is not what was hashed before anything was sent.
 *
 * @throws ExhibitError `integrity.source-changed`
 */
export function requireFixed(
  fixed: FixedDigests | undefined,
  { location, path }: Pick<SourceEntry, "location" | "path">,
  sha256: string,
): void {
  if (fixed === undefined) return;
  const expected = fixed(location);
  if (expected === sha256) return;
  throw new ExhibitError(
    "integrity.source-changed",
    `${path} was read with another content than when its SHA-256 was fixed.`,
    {
      hint: "It does not count as received. Find out who or what changes it, or whether the disk is failing; copy it to another disk first.",
      facts: { expected: expected ?? "none", found: sha256 },
    },
  );
}
