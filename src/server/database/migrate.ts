import { Migrator, sql, type Kysely, type Migration } from "kysely";
import { ExhibitError } from "../../evidence/errors.ts";
import * as accounts from "./migrations/0001-accounts.ts";
import * as exhibits from "./migrations/0002-exhibits.ts";
import * as shares from "./migrations/0003-shares.ts";
import * as contentParts from "./migrations/0004-content-parts.ts";
import * as kept from "./migrations/0005-kept.ts";
import * as providerIdentities from "./migrations/0006-provider-identities.ts";
import * as mailAndNotes from "./migrations/0007-mail-and-notes.ts";
import * as inbox from "./migrations/0008-inbox.ts";
import * as smokes from "./migrations/0009-smokes.ts";
import type { Tables } from "./tables.ts";

/** In order; a migration that was released is never changed, only followed by another. */
export const migrations: Record<string, Migration> = {
  "0001-accounts": accounts,
  "0002-exhibits": exhibits,
  "0003-shares": shares,
  "0004-content-parts": contentParts,
  "0005-kept": kept,
  "0006-provider-identities": providerIdentities,
  "0007-mail-and-notes": mailAndNotes,
  "0008-inbox": inbox,
  "0009-smokes": smokes,
};

/**
 * Brings the database to this version's schema, all or nothing.
 *
 * @throws ExhibitError `conflict.schema-newer` when a newer version of this program has used it
 */
export async function migrate(database: Kysely<Tables>): Promise<void> {
  await refuseNewer(database);
  const migrator = new Migrator({
    db: database,
    provider: { getMigrations: () => Promise.resolve(migrations) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error instanceof Error) throw error;
  if (error !== undefined) throw new Error("The database could not be migrated.", { cause: error });
}

/** @throws ExhibitError `conflict.schema-newer` */
export async function refuseNewer(database: Kysely<Tables>): Promise<void> {
  const tables = await database.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === "kysely_migration")) return;
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(database);
  const unknown = rows.find((row) => !(row.name in migrations));
  if (unknown === undefined) return;
  throw new ExhibitError(
    "conflict.schema-newer",
    "This data folder was used by a newer version of exhibit; this version must not touch it.",
    {
      hint: "Install that version again (or a later one) and start the server with it.",
      facts: { migration: unknown.name },
    },
  );
}
