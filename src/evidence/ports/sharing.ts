import type { LinkReach, Recipient, Share, ShareAccess, ShareAccessEvent } from "../share.ts";
import type { ExhibitEntry } from "./register.ts";

export interface ShareRequest {
  readonly exhibits: readonly Pick<ExhibitEntry, "id" | "case" | "reference">[];
  readonly recipient: Recipient;
  readonly access: ShareAccess;
  readonly expiresAt: string;
  readonly purpose: string | undefined;
  /** Who can open the link; left out, the narrowest that reaches the recipient. */
  readonly link?: LinkReach | undefined;
  /** Refuse files on whose copies a mark can not be seen for certain, before anything is made. */
  readonly requireVisibleMark?: boolean;
  /** False: link and code are handed over by hand, also where the store could send them by mail. */
  readonly mail?: boolean;
  /** False: the recipient can leave no notes. */
  readonly notes?: boolean;
}

/** A new share with its secrets, which are shown this once. */
export interface NewShare {
  readonly share: Share;
  /** The link; it may carry a secret. */
  readonly link: string;
  /** Further links, where each exhibit has its own. */
  readonly furtherLinks?: readonly string[] | undefined;
  /** The access code, to be passed by another way than the link; undefined where the recipient signs in, or is sent one by mail. */
  readonly code: string | undefined;
  /** Who can open the link, where the store has links of several kinds. */
  readonly reach?: LinkReach | undefined;
  /** What the creator must know, in words: a loopback address, a type that plays only in parts, and so on. */
  readonly warnings: readonly string[];
}

export interface Revocation {
  readonly share: Share;
  /** True when it was revoked before; then nothing changed. */
  readonly already: boolean;
  /** Viewing sessions that were open, and streams that were being served, when it was cut; undefined where the store does not tell. */
  readonly sessionsCut: number | undefined;
  readonly streamsCut: number | undefined;
  /** Originals that the recipient had downloaded by then, whole or in part; undefined where nobody can say. They cannot be recalled. */
  readonly originalsTaken: number | undefined;
  /** What could not be taken away, in words. */
  readonly notes?: readonly string[];
}

/** A share with its new end, which may be sooner than was asked for. */
export interface ShareUpdate {
  readonly share: Share;
  readonly warnings: readonly string[];
}

export interface ShareLog {
  /** Oldest first. */
  readonly events: readonly ShareAccessEvent[];
  /** What the log does not tell, and why, in words. */
  readonly notes: readonly string[];
}

/** Shares exhibits with named people. @throws `policy.role`, `policy.type-not-markable`, `not-found.*` */
export interface Sharing {
  create(request: ShareRequest, signal: AbortSignal): Promise<NewShare>;
  list(signal: AbortSignal): Promise<Share[]>;
  /**
   * Takes away what shares of the caller's that have ended by themselves have left at a store that makes copies for each.
   *
   * @returns what was done, and what could not be, in words
   */
  clearEnded(signal: AbortSignal): Promise<readonly string[]>;
  show(id: string, signal: AbortSignal): Promise<Share>;
  log(id: string, signal: AbortSignal): Promise<ShareLog>;
  /**
   * Gives a share a new link and code; the old ones are dead from then on, what is open through them ends.
   *
   * @param mail true: by mail, where the store can; false: handed over by hand; undefined: as it was before
   * @throws `conflict.share-ended`, `policy.unsupported` where links cannot be replaced
   */
  renew(id: string, mail: boolean | undefined, signal: AbortSignal): Promise<NewShare>;
  /** Gives a share another end; its link stays. @throws `conflict.share-ended`, `conflict.share-changed` */
  update(id: string, expiresAt: string, signal: AbortSignal): Promise<ShareUpdate>;
  /** Cuts a share, or one exhibit out of it. Repeating it succeeds. */
  revoke(id: string, exhibit: string | undefined, signal: AbortSignal): Promise<Revocation>;
}
