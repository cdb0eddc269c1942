import type { ExhibitEntry } from "./register.ts";

/** One file of a share, as its page shows it. */
export interface SharedFile {
  readonly exhibit: string;
  /** From 1. */
  readonly ordinal: number;
  /** The SHA-256 of the master: what is shown must not have it. */
  readonly masterSha256: string;
}

/** A page that somebody without an account has opened. */
export interface OpenedLink {
  /** Bytes of the marked copy that was seen. */
  readonly copyBytes: number;
  /**
   * Tries everything that worked a moment ago, and the code again.
   *
   * @throws `integrity.mismatch` where anything of it still opens; `unavailable.store`
   */
  requireDead(signal: AbortSignal): Promise<void>;
}

/** Somebody without an account, with link and code and a connection of their own. */
export interface Stranger {
  /**
   * Opens a link as a browser does: the page that asks for the code, the code, the page, one marked copy.
   *
   * @throws `integrity.mismatch` where something of it is not as it should be; `unavailable.store`
   */
  open(link: string, code: string, file: SharedFile, signal: AbortSignal): Promise<OpenedLink>;
}

/** The place of a store for synthetic material, which never enters a case and alone can be erased. */
export interface SmokeRoom {
  /**
   * Begins an exhibit of synthetic material, to be filled and sealed like any other.
   *
   * @throws `policy.unsupported` where it could not be erased again, before anything is written
   */
  begin(totalBytes: number, signal: AbortSignal): Promise<ExhibitEntry>;
  /** Erases it with all there is about it, shares included. Repeating succeeds. @throws `policy.not-permitted` for anything else */
  erase(entry: ExhibitEntry, signal: AbortSignal): Promise<void>;
  /** Absent where the store has no links of its own. */
  readonly stranger: Stranger | undefined;
}
