import { z } from "zod";
import {
  identityReportSchema,
  identitySchema,
  invitationSchema,
  organisationSchema,
  roleSchema,
} from "../evidence/identity.ts";
import { sha256Of } from "../evidence/sha256.ts";
import { publicJwkSchema } from "../evidence/seal.ts";

/**
 * `POST   /v1/invitations`       make -> 201 with the code, shown this once
 * `GET    /v1/invitations`       list
 * `DELETE /v1/invitations/:id`   revoke -> 204
 * `GET    /v1/identities`        list (admin)
 * `GET    /v1/identities/me`     the caller
 * `POST   /v1/identities`        enrol a key that was made elsewhere (admin) -> 201; its OAuth client id is the identity's
 * `GET    /v1/identities/report` list, with what an admin asks about each (admin)
 * `DELETE /v1/identities/me`     leave; for who was enrolled by a key -> 204
 * `DELETE /v1/identities/:id`    revoke (admin) -> 204
 * `POST   /v1/identities/:id/restore`  let in again who comes by the force's provider (admin) -> 200
 *
 * Enrolment is RFC 7591 at the issuer's registration endpoint with the invitation's secret as initial access
 * token; tokens are client credentials with `private_key_jwt` (RFC 7523); leaving is RFC 7592.
 */
export const invitationsPath = "/v1/invitations";
export const identitiesPath = "/v1/identities";

export const inviteSchema = z.strictObject({
  role: roleSchema,
  organisation: organisationSchema,
  expiresInSeconds: z
    .number()
    .int()
    .min(60)
    .max(366 * 86_400),
  quotaBytes: z.number().int().positive().optional(),
});

export const enrolKeySchema = z.strictObject({
  key: publicJwkSchema,
  role: roleSchema,
  organisation: organisationSchema,
  quotaBytes: z.number().int().positive().optional(),
});

/** The identity of a key that an admin enrolled; its holder knows it without asking. */
export function identityOfKey(thumbprint: string): string {
  return `i${sha256Of(`exhibit key ${thumbprint}`).slice(0, 26)}`;
}

export const newInvitationSchema = z.strictObject({
  invitation: invitationSchema,
  code: z.string(),
});

export const invitationListSchema = z.strictObject({ invitations: z.array(invitationSchema) });
export const identityListSchema = z.strictObject({ identities: z.array(identitySchema) });
export const identityReportsSchema = z.strictObject({ identities: z.array(identityReportSchema) });

/** The scope every access token of ours has; what its bearer may do is the identity's role. */
export const tokenScope = "exhibit";
