import type { Recipient, Share, ShareAccess, ShareAccessEvent } from "../share.ts";

export interface ShareRequest {
  readonly exhibits: readonly string[];
  readonly recipient: Recipient;
  readonly access: ShareAccess;
  readonly expiresAt: string;
  readonly purpose: string | undefined;
}

/** A new share with the two secrets that are shown this once. */
export interface NewShare {
  readonly share: Share;
  /** The link; it carries a secret. */
  readonly link: string;
  /** The access code, to be passed by another way than the link. */
  readonly code: string;
  /** What the creator must know, in words: a loopback address, a type that plays only in parts, and so on. */
  readonly warnings: readonly string[];
}

export interface Revocation {
  readonly share: Share;
  /** True when it was revoked before; then nothing changed. */
  readonly already: boolean;
  /** Viewing sessions that were open, and streams that were being served, when it was cut. */
  readonly sessionsCut: number;
  readonly streamsCut: number;
  /** Originals that the recipient had downloaded by then, whole or in part. They cannot be recalled. */
  readonly originalsTaken: number;
}

/** Shares exhibits with named people. @throws `policy.role`, `policy.type-not-markable`, `not-found.*` */
export interface Sharing {
  create(request: ShareRequest, signal: AbortSignal): Promise<NewShare>;
  list(signal: AbortSignal): Promise<Share[]>;
  show(id: string, signal: AbortSignal): Promise<Share>;
  log(id: string, signal: AbortSignal): Promise<ShareAccessEvent[]>;
  /** Cuts a share, or one exhibit out of it. Repeating it succeeds. */
  revoke(id: string, exhibit: string | undefined, signal: AbortSignal): Promise<Revocation>;
}
