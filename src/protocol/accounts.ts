import { z } from "zod";
import {
  identitySchema,
  invitationSchema,
  organisationSchema,
  roleSchema,
} from "../evidence/identity.ts";

/**
 * `POST   /v1/invitations`       make -> 201 with the code, shown this once
 * `GET    /v1/invitations`       list
 * `DELETE /v1/invitations/:id`   revoke -> 204
 * `GET    /v1/identities`        list (admin)
 * `GET    /v1/identities/me`     the caller
 * `DELETE /v1/identities/:id`    revoke (admin) -> 204
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

export const newInvitationSchema = z.strictObject({
  invitation: invitationSchema,
  code: z.string(),
});

export const invitationListSchema = z.strictObject({ invitations: z.array(invitationSchema) });
export const identityListSchema = z.strictObject({ identities: z.array(identitySchema) });

/** The scope every access token of ours has; what its bearer may do is the identity's role. */
export const tokenScope = "exhibit";
