import type { Proof } from "../proof.ts";

/**
 * What became of one thing that was asked of a store. `enforced`: it refuses what is wrong. `works`: it did it, and it
 * shows. `ignored`: it says yes and does nothing. `refused`: it says no. `denied`: it says no to these credentials.
 * `absent`: it is not set up. `untested`: it was not tried, or cannot be.
 */
// prettier-ignore
export const outcomes = ["enforced", "works", "ignored", "refused", "denied", "absent", "untested"] as const;
export type Outcome = (typeof outcomes)[number];

/** One thing that was looked at. */
export interface StoreFinding {
  /** A stable name for programs: `payload-hash`. */
  readonly id: string;
  /** The same for people. */
  readonly what: string;
  readonly outcome: Outcome;
  /** What was seen, in a few words, where there is more to say. */
  readonly detail?: string | undefined;
}

/** Something that a probe could not remove again. */
export interface LeftBehind {
  readonly key: string;
  readonly version?: string | undefined;
  /** Until when the store refuses to remove it, where it says so. */
  readonly lockedUntil?: string | undefined;
}

/** What a probe found in a store that had to be tried out. */
export interface Probed {
  readonly name: string;
  readonly url: string;
  readonly checkedAt: string;
  /** The proof that an upload to it reaches at least. */
  readonly proof: Proof;
  readonly findings: readonly StoreFinding[];
}

/** Finds out what stores really do, where their word is not enough. */
export interface StoreProbe {
  /**
   * Tries a store out with small synthetic content, and keeps what was found for later uploads; undefined for kinds of stores that
   * are known without. Removes what it wrote, also when it fails or is stopped; `onLeft` is told what could not be.
   *
   * @throws ExhibitError `not-found.store`, `usage.missing`, `auth.*`, `policy.not-permitted`, `unavailable.*`
   */
  tryOut(
    store: string | undefined,
    signal: AbortSignal,
    onLeft: (left: readonly LeftBehind[]) => void,
  ): Promise<Probed | undefined>;

  /** Room in the store that stands at `url`, in bytes; undefined where it does not tell. */
  freeBytes(url: string): Promise<number | undefined>;
}
