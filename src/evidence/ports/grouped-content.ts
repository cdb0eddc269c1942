import type { ExhibitError } from "../errors.ts";
import type { Stored } from "./store.ts";

/** A file to be stored whole. */
export interface WholeFile {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * Beside a content store, where it has it: many small files at once, whose durable writes are grouped. What is stored so
 * is stored as by the store's own `put`. Errors of all members are those of the store.
 */
export interface GroupedContent {
  /**
   * As `Store.put`, for many; an answer for each, in order: one that is refused does not touch the others. All are durable when
   * it returns, at the cost of making one durable.
   *
   * @throws what concerns all of them; then any of them may be visible, and the same call again succeeds
   */
  putAll(
    files: readonly WholeFile[],
    signal: AbortSignal,
  ): Promise<readonly (Stored | ExhibitError)[]>;

  /** Those of these folders (`<case>/<reference>`) in which something lies. */
  occupied(folders: readonly string[], signal: AbortSignal): Promise<ReadonlySet<string>>;
}
