import type { Identity, Invitation, Role } from "../identity.ts";

export interface InvitationRequest {
  readonly role: Role;
  readonly organisation: string;
  readonly expiresInSeconds: number;
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
  revokeIdentity(id: string, signal: AbortSignal): Promise<void>;
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
  /** Deletes the registration at the server (RFC 7592) and then the key here. True if there was one. */
  leave(url: string, signal: AbortSignal): Promise<boolean>;
}
