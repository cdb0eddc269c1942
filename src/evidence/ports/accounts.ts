import type { Identity, IdentityReport, Invitation, Role } from "../identity.ts";
import type { PublicJwk } from "../seal.ts";
import type { Share } from "../share.ts";
import type { LoginEnd } from "./sign-in.ts";

export interface InvitationRequest {
  readonly role: Role;
  readonly organisation: string;
  readonly expiresInSeconds: number;
  readonly quotaBytes: number | undefined;
}

/** A key that was made elsewhere, and what its holder shall be. */
export interface KeyEnrolment {
  readonly key: PublicJwk;
  readonly role: Role;
  readonly organisation: string;
  readonly quotaBytes: number | undefined;
}

/** Who may do what on an exhibit server. @throws `policy.role`, `auth.*`, `not-found.*` */
export interface Accounts {
  me(signal: AbortSignal): Promise<Identity>;
  /** The code is a secret, shown this once. */
  invite(
    request: InvitationRequest,
    signal: AbortSignal,
  ): Promise<{ invitation: Invitation; code: string }>;
  invitations(signal: AbortSignal): Promise<Invitation[]>;
  revokeInvitation(id: string, signal: AbortSignal): Promise<void>;
  identities(signal: AbortSignal): Promise<Identity[]>;
  /** With their machines, open shares and when they were last seen. */
  identityReports(signal: AbortSignal): Promise<IdentityReport[]>;
  /** Enrols a key that was made elsewhere; repeating it gives the same identity. @throws `conflict.exists` */
  enrolKey(request: KeyEnrolment, signal: AbortSignal): Promise<Identity>;
  revokeIdentity(id: string, signal: AbortSignal): Promise<void>;
  /** Lets somebody in again who signs in by the force's provider. */
  restoreIdentity(id: string, signal: AbortSignal): Promise<Identity>;
  /** One identity's shares, as far as the caller may see them. */
  sharesOf(identity: string, signal: AbortSignal): Promise<Share[]>;
  /** Hands a share to another officer; repeating it succeeds. */
  reassignShare(share: string, to: string, signal: AbortSignal): Promise<Share>;
}

/** Enrols this machine's new key at a server, and takes it back. */
export interface Enrolment {
  /**
   * Makes a key, pins the server's, registers with the invitation and keeps the result in the keychain under `url`. Nothing
   * that could fail comes behind that.
   *
   * @throws `auth.invitation-*`, `auth.server-key-changed`, `auth.clock-wrong`, `auth.no-keychain`, `unavailable.store`
   */
  enrol(url: string, invitation: string, signal: AbortSignal): Promise<void>;
  /** Makes a key that an admin shall enrol, or finds the one made before; its private half stays with this machine's keys. */
  prepareKey(): Promise<PublicJwk>;
  /** Thumbprint of the server's key, as this machine has pinned it. */
  serverKey(url: string): Promise<string | undefined>;
  /** Whether such a key is there. */
  hasPreparedKey(): Promise<boolean>;
  /**
   * Signs in with the key that lies prepared in this machine's key file, and that an admin has enrolled.
   *
   * @throws `auth.required` where no such key lies there, `auth.identity-unknown` where it is not enrolled, `auth.server-key-changed`, `unavailable.store`
   */
  useKey(url: string, serverKey: string, signal: AbortSignal): Promise<void>;
  /**
   * Deletes the registration at the server (RFC 7592) and then the key here; of an officer also the login at the force's provider. What the
   * far end does not know, or let in, any more counts as ended.
   *
   * @throws `unavailable.*`, `auth.clock-wrong`, `auth.server-key-changed`
   */
  leave(url: string, signal: AbortSignal): Promise<LoginEnd>;
}
