import type { HashedPart, Upload } from "./store.ts";

/** Where one part may be sent without asking the store again. It is a secret: whoever has it may send this part. */
export interface PartAddress {
  readonly method: "PUT";
  /** Absolute. */
  readonly url: string;
  /** What must go along, exactly so. */
  readonly headers: Readonly<Record<string, string>>;
  /** RFC 3339 UTC. */
  readonly expiresAt: string;
}

/**
 * The engine behind a store, where it takes parts from those who have no keys for it. Each address is good for the bytes of one
 * part alone: the engine itself refuses others. What went there shows in the store's `listParts`, and counts in its `complete`.
 */
export interface DirectParts {
  /**
   * Where a part goes straight to the engine; undefined for one that must come through the store.
   *
   * @throws ExhibitError `conflict.part-differs` where other bytes lie at its offset; `not-found.upload`, `usage.invalid`
   */
  addressOf(
    upload: Upload,
    part: HashedPart,
    signal: AbortSignal,
  ): Promise<PartAddress | undefined>;
}
