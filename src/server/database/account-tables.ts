import type { EnrolledBy, Role } from "../../evidence/identity.ts";

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
  /** Of who comes by the force's provider: the one that their last token gave. */
  role: Role;
  organisation: string;
  readonly enrolled_by: EnrolledBy;
  /** The one public key, as JSON; of who comes by the provider see {@link IdentityKeyRow}. */
  readonly key_jwk: string | null;
  readonly key_thumbprint: string | null;
  readonly invitation_id: string | null;
  /** SHA-256 of the provider's issuer and its name for the person. */
  readonly provider_sha256: string | null;
  /** That name, where it is a GUID and so tells nothing of the person. */
  readonly provider_subject: string | null;
  readonly enrolled_at: string;
  /** Written once an hour at most. */
  last_seen_at: string | null;
  revoked_at: string | null;
  readonly quota_bytes: number | null;
  used_bytes: number;
}

/** The key of one machine of somebody who comes by the force's provider; it signs their records. */
export interface IdentityKeyRow {
  readonly thumbprint: string;
  readonly identity_id: string;
  /** The public key as JSON. */
  readonly key_jwk: string;
  readonly added_at: string;
  revoked_at: string | null;
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
  identity_keys: IdentityKeyRow;
  oidc_payloads: OidcPayloadRow;
}
