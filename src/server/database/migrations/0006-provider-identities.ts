import { sql, type Kysely } from "kysely";

/**
 * Identities may come by the force's provider, or by a key that an admin enrolled: then no invitation stands behind them. SQLite
 * changes no column, so the table is made anew; what refers to it is checked when all of this is committed.
 */
export async function up(database: Kysely<unknown>): Promise<void> {
  await sql`pragma defer_foreign_keys = on`.execute(database);
  await sql`create table identities_before as select * from identities`.execute(database);
  await database.schema.dropTable("identities").execute();
  await database.schema
    .createTable("identities")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("role", "text", (c) => c.notNull())
    .addColumn("organisation", "text", (c) => c.notNull())
    .addColumn("enrolled_by", "text", (c) => c.notNull())
    .addColumn("key_jwk", "text")
    .addColumn("key_thumbprint", "text")
    .addColumn("invitation_id", "text", (c) => c.references("invitations.id").unique())
    .addColumn("provider_sha256", "text", (c) => c.unique())
    .addColumn("provider_subject", "text")
    .addColumn("enrolled_at", "text", (c) => c.notNull())
    .addColumn("last_seen_at", "text")
    .addColumn("revoked_at", "text")
    .addColumn("quota_bytes", "bigint")
    .addColumn("used_bytes", "bigint", (c) => c.notNull().defaultTo(0))
    .execute();
  await sql`insert into identities (id, role, organisation, enrolled_by, key_jwk, key_thumbprint, invitation_id, enrolled_at, revoked_at, quota_bytes, used_bytes)
    select id, role, organisation, 'invitation', key_jwk, key_thumbprint, invitation_id, enrolled_at, revoked_at, quota_bytes, used_bytes
    from identities_before`.execute(database);
  await database.schema.dropTable("identities_before").execute();
  await database.schema
    .createTable("identity_keys")
    .addColumn("thumbprint", "text", (c) => c.primaryKey())
    .addColumn("identity_id", "text", (c) => c.notNull().references("identities.id"))
    .addColumn("key_jwk", "text", (c) => c.notNull())
    .addColumn("added_at", "text", (c) => c.notNull())
    .addColumn("revoked_at", "text")
    .execute();
  await database.schema
    .createIndex("identity_keys_of_identity")
    .on("identity_keys")
    .column("identity_id")
    .execute();
}
