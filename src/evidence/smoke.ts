import { caseSegment, smokeCase } from "./case.ts";
import { ExhibitError } from "./errors.ts";
import { exhibitPrefix, parseKey } from "./key.ts";
import type { ExhibitEntry } from "./ports/register.ts";

/** What every key of synthetic material begins with, and no key of evidence: a case's segment never begins with `~`. */
export const smokePrefix = `${caseSegment(smokeCase)}/`;

/** The folder of one smoke in a store, with a slash at its end. */
export function smokeFolder({ reference }: Pick<ExhibitEntry, "reference">): string {
  return `${exhibitPrefix(smokeCase, reference)}/`;
}

/** Synthetic material that nobody erased is erased after this long. */
export const leftoverMs = 24 * 60 * 60 * 1000;

/** The most that one smoke may hold. */
export const mostSmokeBytes = 64 * 1024 * 1024;

/**
 * The one check before anything is erased from a store, whichever it is: only a well-formed key of synthetic material passes.
 *
 * @throws ExhibitError `policy.not-permitted`
 */
export function requireSmokeKey(key: string): void {
  if (key.startsWith(smokePrefix) && parseKey(key)?.case === smokeCase) return;
  throw notSmoke();
}

export function notSmoke(): ExhibitError {
  return new ExhibitError(
    "policy.not-permitted",
    "Only what exhibit smoke has made can be erased; evidence never is.",
    {
      hint: "What is stored as evidence stays. A correction is a new exhibit that names the old one.",
    },
  );
}
