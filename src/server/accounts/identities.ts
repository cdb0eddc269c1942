import type { Kysely } from "kysely";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { IdentityRow } from "../database/account-tables.ts";
import type { Tables } from "../database/tables.ts";

/** The identity's row, revoked or not. */
export async function findIdentityRow(
  database: Kysely<Tables>,
  id: string,
): Promise<IdentityRow | undefined> {
  return database.selectFrom("identities").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The identity with this id, revoked or not. */
export async function findIdentity(
  database: Kysely<Tables>,
  id: string,
): Promise<Identity | undefined> {
  const row = await findIdentityRow(database, id);
  return row === undefined ? undefined : identityOfRow(row);
}

/** All identities, revoked ones too, in the order they enrolled. */
export async function listIdentities(database: Kysely<Tables>): Promise<Identity[]> {
  const rows = await database
    .selectFrom("identities")
    .selectAll()
    .orderBy("enrolled_at")
    .orderBy("id")
    .execute();
  return rows.map(identityOfRow);
}

/**
 * Takes an identity's access back from its next request on; repeating it succeeds. Its row stays, because custody
 * logs name it.
 *
 * @throws ExhibitError `not-found.identity`; `usage.invalid` when it is the last admin
 */
export async function revokeIdentity(
  database: Kysely<Tables>,
  id: string,
  now: Date,
): Promise<void> {
  await database.transaction().execute(async (trx) => {
    const row = await findIdentityRow(trx, id);
    if (row === undefined) throw noIdentity(id);
    if (row.revoked_at !== null) return;
    // Who comes by the provider is no administrator to count on: the next token may say otherwise.
    const counts = row.role === "admin" && row.enrolled_by !== "provider";
    if (counts && (await isLastAdmin(trx, id))) {
      throw new ExhibitError("usage.invalid", "This is the server's last administrator.", {
        hint: "Enrol another administrator first: exhibit invite create --role admin.",
      });
    }
    await endIdentity(trx, id, now);
  });
}

/**
 * Lets somebody in again who comes by the force's provider and was revoked here; repeating it succeeds. The keys of their
 * machines stay ended: one of them may have been stolen. Others get a new invitation.
 *
 * @throws ExhibitError `not-found.identity`; `usage.invalid` for others
 */
export async function restoreIdentity(database: Kysely<Tables>, id: string): Promise<Identity> {
  const row = await findIdentityRow(database, id);
  if (row === undefined) throw noIdentity(id);
  if (row.enrolled_by !== "provider") {
    throw new ExhibitError("usage.invalid", "This identity does not sign in by the provider.", {
      hint: "Make a new invitation for them: exhibit invite create.",
    });
  }
  await database.updateTable("identities").set({ revoked_at: null }).where("id", "=", id).execute();
  return identityOfRow({ ...row, revoked_at: null });
}

function noIdentity(id: string): ExhibitError {
  return new ExhibitError("not-found.identity", `There is no identity ${id}.`, {
    hint: "List them with exhibit identity list.",
  });
}

/** Marks an identity as gone, by its own wish or another's, and its machines with it: let in again, each signs in anew. */
export async function endIdentity(database: Kysely<Tables>, id: string, now: Date): Promise<void> {
  const ended = { revoked_at: now.toISOString() };
  await database
    .updateTable("identities")
    .set(ended)
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .execute();
  await database
    .updateTable("identity_keys")
    .set(ended)
    .where("identity_id", "=", id)
    .where("revoked_at", "is", null)
    .execute();
}

async function isLastAdmin(database: Kysely<Tables>, id: string): Promise<boolean> {
  const other = await database
    .selectFrom("identities")
    .select("id")
    .where("role", "=", "admin")
    .where("enrolled_by", "!=", "provider")
    .where("revoked_at", "is", null)
    .where("id", "!=", id)
    .executeTakeFirst();
  return other === undefined;
}

/** An identity as others are told of it. */
export function identityOfRow(row: IdentityRow): Identity {
  return {
    id: row.id,
    role: row.role,
    organisation: row.organisation,
    enrolledBy: row.enrolled_by,
    ...(row.key_thumbprint === null ? {} : { keyThumbprint: row.key_thumbprint }),
    enrolledAt: row.enrolled_at,
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
    ...(row.quota_bytes === null ? {} : { quotaBytes: row.quota_bytes }),
    usedBytes: row.used_bytes,
  };
}
