import type { ExhibitError } from "../errors.ts";
import type { Sealed } from "../seal.ts";
import type { ExhibitEntry, Reservation, SealedExhibit } from "./register.ts";

/** An open exhibit of one small file, whole in memory, with the record that will seal it. */
export interface SmallExhibit {
  readonly entry: ExhibitEntry;
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly record: Sealed;
}

/**
 * Takes in many small exhibits at once, each proved, sealed and receipted by itself: one that is refused does not
 * touch the others.
 */
export interface Bundles {
  readonly limits: {
    readonly maxExhibits: number;
    /** Content of one bundle. */
    readonly maxBytes: number;
    /** One file. */
    readonly maxFileBytes: number;
  };

  /** As `Register.reserve`, for many; an answer for each, in order. @throws what concerns all of them */
  reserveAll(
    reservations: readonly Reservation[],
    signal: AbortSignal,
  ): Promise<readonly (ExhibitEntry | ExhibitError)[]>;

  /**
   * Sends content and records and gives back the sealed exhibits, all durable, signatures checked against pinned keys; an answer for
   * each, in order. The same bundle again succeeds, so that a lost answer needs no care.
   *
   * @throws what concerns all of them: `unavailable.*`, `auth.*`
   */
  sendAll(
    exhibits: readonly SmallExhibit[],
    signal: AbortSignal,
  ): Promise<readonly (SealedExhibit | ExhibitError)[]>;
}
