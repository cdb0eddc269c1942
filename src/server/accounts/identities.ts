import type { Kysely } from "kysely";
import type { Identity } from "../../evidence/identity.ts";
import type { IdentityRow } from "../database/account-tables.ts";
import type { Tables } from "../database/tables.ts";

/** The identity with this id, revoked or not. */
export async function findIdentity(
  database: Kysely<Tables>,
  id: string,
): Promise<Identity | undefined> {
  const row = await database
    .selectFrom("identities")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirst();
  return row === undefined ? undefined : identityOfRow(row);
}

/** A row as the protocol shows it. */
export function identityOfRow(row: IdentityRow): Identity {
  return {
    id: row.id,
    role: row.role,
    organisation: row.organisation,
    keyThumbprint: row.key_thumbprint,
    enrolledAt: row.enrolled_at,
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
    ...(row.quota_bytes === null ? {} : { quotaBytes: row.quota_bytes }),
    usedBytes: row.used_bytes,
  };
}
