import type { Kysely } from "kysely";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { PublicJwk } from "../../evidence/seal.ts";
import type { Tables } from "../database/tables.ts";

/** What an exhibit tells of who submitted it. */
interface Submitter {
  /** The identity's id, as the custody log names it. */
  readonly id: string;
  readonly key: PublicJwk;
  readonly thumbprint: string;
}

/** The organisation of an identity of which nothing but its id and its key is known any more. */
export const unknownOrganisation = "Unknown: found again in the content";

/**
 * Keeps a submitter whom the database does not know by id and key, so that custody logs lead somewhere. Revoked from the start: nobody
 * signs in as somebody of whom the server has forgotten what they may do.
 */
export async function keepSubmitter(
  trx: Kysely<Tables>,
  clock: Clock,
  { id, key, thumbprint }: Submitter,
): Promise<void> {
  const known = await trx
    .selectFrom("identities")
    .select("id")
    .where("id", "=", id)
    .executeTakeFirst();
  if (known !== undefined) return;
  const now = clock.now().toISOString();
  const common = { role: "partner", organisation: unknownOrganisation, quota_bytes: null } as const;
  const invitation = `n-${id}`;
  await trx
    .insertInto("invitations")
    .values({
      ...common,
      id: invitation,
      // No secret has this as its digest.
      secret_sha256: `unknown-${id}`,
      created_at: now,
      created_by: null,
      expires_at: now,
      used_at: now,
      revoked_at: null,
    })
    .execute();
  await trx
    .insertInto("identities")
    .values({
      ...common,
      id,
      enrolled_by: "invitation",
      key_jwk: JSON.stringify(key),
      key_thumbprint: thumbprint,
      invitation_id: invitation,
      enrolled_at: now,
      revoked_at: now,
      used_bytes: 0,
    })
    .execute();
}
