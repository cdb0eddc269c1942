import type { Role } from "../../evidence/identity.ts";

/** An invitation; its secret is kept only as a SHA-256. Times are RFC 3339 text. */
export interface InvitationRow {
  readonly id: string;
  readonly secret_sha256: string;
  readonly role: Role;
  readonly organisation: string;
  readonly quota_bytes: number | null;
  readonly created_at: string;
  /** The admin who made it; null for the one that the server makes for its operator. */
  readonly created_by: string | null;
  readonly expires_at: string;
  used_at: string | null;
  revoked_at: string | null;
}

/** An enrolled identity. Its row outlives revocation, because custody logs name it. */
export interface IdentityRow {
  /** Also its OAuth client id. */
  readonly id: string;
  readonly role: Role;
  readonly organisation: string;
  /** The public key as JSON. */
  readonly key_jwk: string;
  readonly key_thumbprint: string;
  readonly invitation_id: string;
  readonly enrolled_at: string;
  revoked_at: string | null;
  readonly quota_bytes: number | null;
  used_bytes: number;
}

/** What oidc-provider keeps: clients, registration tokens, assertion ids it has seen. */
export interface OidcPayloadRow {
  readonly model: string;
  readonly id: string;
  /** JSON. */
  payload: string;
  expires_at: string | null;
}

export interface AccountTables {
  invitations: InvitationRow;
  identities: IdentityRow;
  oidc_payloads: OidcPayloadRow;
}
