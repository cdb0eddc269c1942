import type { Fetched } from "../fetched.ts";
import type { OnTransferEvent } from "../progress.ts";

/** A link to fetch, and the most that it may bring. */
export interface FetchOrder {
  /** A secret: it may let whoever has it in. */
  readonly link: URL;
  readonly mostBytes: number;
}

/** What a link brought: a file of this computer's own state, until it is discarded. */
export interface Arrived {
  /** Where the source finds it. */
  readonly location: string;
  /** As the link's host calls it, without what could lead out of a folder. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Worked out as it arrived. */
  readonly sha256: string;
  readonly fetched: Fetched;
  /** Brought in by an earlier run that did not come to sealing it. */
  readonly isFromBefore: boolean;
  discard(): Promise<void>;
}

/** Brings in what links lead to, from hosts that were allowed by name and from nowhere else. */
export interface Fetcher {
  /**
   * Fetches a link whole, or goes on where an earlier run was broken off.
   *
   * @throws ExhibitError `policy.not-permitted` for a host that is not allowed and for a page to sign in at; `policy.insecure-address` for
   * plain http, and for an address that must not be reached; `policy.too-large`; `policy.unsupported` for what comes compressed;
   * `not-found.source`; `integrity.mismatch` when bytes are not what was announced; `unavailable.source`; `unavailable.no-space`;
   * `conflict.locked` while another command fetches the same link
   */
  fetch(order: FetchOrder, onEvent: OnTransferEvent, signal: AbortSignal): Promise<Arrived>;
  /** Remembers that what a link brought is sealed, and its receipt kept; of other locations, nothing. */
  markSealed(location: string): Promise<void>;
  /** Removes what links brought and was marked as sealed, but for the locations that are still needed; what another command has in use is left. */
  discardSealed(isNeeded: (location: string) => boolean): Promise<void>;
}
