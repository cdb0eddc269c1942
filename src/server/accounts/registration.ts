import { calculateJwkThumbprint } from "jose";
import { errors, type AdapterPayload, type KoaContextWithOIDC } from "./oidc.ts";
import { z } from "zod";
import type { Kysely } from "kysely";
import { ExhibitError } from "../../evidence/errors.ts";
import { publicJwkSchema, type PublicJwk } from "../../evidence/seal.ts";
import { tokenScope } from "../../protocol/accounts.ts";
import type { InvitationRow } from "../database/account-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ServerDeps } from "../deps.ts";
import { requireOpen } from "./invitations.ts";
import { OauthRefusal } from "./oauth-refusal.ts";

/** The registration policy's name, as oidc-provider keeps it with the initial access token. */
export const enrolmentPolicy = "enrolment";

/** How long the same key may ask again with a used invitation, because the answer was lost on its way. */
const repeatMs = 10 * 60_000;

/** What a client may ask for: one Ed25519 key to prove itself with, and nothing else. */
const requestSchema = z.object({
  token_endpoint_auth_method: z.literal("private_key_jwt"),
  grant_types: z.tuple([z.literal("client_credentials")]),
  jwks: z.object({ keys: z.tuple([publicJwkSchema.strip()]) }),
});

/** An identity as oidc-provider sees a client. */
export function clientMetadata(id: string, key: PublicJwk): AdapterPayload {
  return {
    client_id: id,
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "Ed25519",
    id_token_signed_response_alg: "EdDSA",
    grant_types: ["client_credentials"],
    response_types: [],
    redirect_uris: [],
    scope: tokenScope,
    jwks: { keys: [key] },
  };
}

/**
 * The registration policy: consumes the invitation and enrols the key's holder in one transaction, so that of two
 * enrolments that race on one invitation exactly one wins. The winner's own repetition, within ten minutes,
 * gets the same identity again.
 */
export async function enrolByInvitation(
  deps: Pick<ServerDeps, "clock" | "database">,
  ctx: KoaContextWithOIDC,
  properties: { client_id?: unknown },
): Promise<void> {
  const { InitialAccessToken: invitation, RegistrationAccessToken: management } = ctx.oidc.entities;
  if (invitation === undefined) {
    throw new errors.InvalidRequest("a registration cannot be changed; enrol a new key instead");
  }
  const request = requestSchema.safeParse(properties);
  if (!request.success) {
    throw new errors.InvalidClientMetadata(
      "only private_key_jwt with one Ed25519 key and client_credentials can be registered",
    );
  }
  const [key] = request.data.jwks.keys;
  const candidate: Candidate = {
    id: z.string().parse(properties.client_id),
    key,
    thumbprint: await calculateJwkThumbprint(key),
  };
  const id = await deps.database
    .transaction()
    .execute(async (trx) => enrol(trx, invitation.jti, candidate, deps.clock.now()));
  Object.assign(properties, clientMetadata(id, key));
  if (management !== undefined) management.clientId = id;
}

interface Candidate {
  readonly id: string;
  readonly key: PublicJwk;
  readonly thumbprint: string;
}

async function enrol(
  trx: Kysely<Tables>,
  invitationId: string,
  candidate: Candidate,
  now: Date,
): Promise<string> {
  const invitation = await trx
    .selectFrom("invitations")
    .selectAll()
    .where("id", "=", invitationId)
    .executeTakeFirstOrThrow();
  const before = await repeated(trx, invitation, candidate, now);
  if (before !== undefined) return before;
  try {
    requireOpen(invitation, now);
  } catch (error) {
    throw error instanceof ExhibitError ? new OauthRefusal("invalid_token", error) : error;
  }
  await trx
    .updateTable("invitations")
    .set({ used_at: now.toISOString() })
    .where("id", "=", invitationId)
    .execute();
  await trx
    .insertInto("identities")
    .values({
      id: candidate.id,
      role: invitation.role,
      organisation: invitation.organisation,
      enrolled_by: "invitation",
      key_jwk: JSON.stringify(candidate.key),
      key_thumbprint: candidate.thumbprint,
      invitation_id: invitationId,
      provider_sha256: null,
      provider_subject: null,
      enrolled_at: now.toISOString(),
      last_seen_at: null,
      revoked_at: null,
      quota_bytes: invitation.quota_bytes,
      used_bytes: 0,
    })
    .execute();
  return candidate.id;
}

/** The identity that this very key got from this invitation a moment ago. */
async function repeated(
  trx: Kysely<Tables>,
  invitation: InvitationRow,
  candidate: Candidate,
  now: Date,
): Promise<string | undefined> {
  if (invitation.used_at === null) return undefined;
  if (now.getTime() - Date.parse(invitation.used_at) > repeatMs) return undefined;
  const row = await trx
    .selectFrom("identities")
    .select("id")
    .where("invitation_id", "=", invitation.id)
    .where("key_thumbprint", "=", candidate.thumbprint)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return row?.id;
}
