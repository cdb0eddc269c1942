import type { Kysely } from "kysely";

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable("shares")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("token_sha256", "text", (c) => c.notNull().unique())
    .addColumn("code_salt", "text", (c) => c.notNull())
    .addColumn("code_scrypt", "text", (c) => c.notNull())
    .addColumn("recipient_name", "text", (c) => c.notNull())
    .addColumn("recipient_email", "text", (c) => c.notNull())
    .addColumn("access", "text", (c) => c.notNull())
    .addColumn("purpose", "text")
    .addColumn("created_by", "text", (c) => c.notNull().references("identities.id"))
    .addColumn("organisation", "text", (c) => c.notNull())
    .addColumn("created_at", "text", (c) => c.notNull())
    .addColumn("expires_at", "text", (c) => c.notNull())
    .addColumn("revoked_at", "text")
    .addColumn("cleared_at", "text")
    .execute();
  await database.schema
    .createTable("share_exhibits")
    .addColumn("share_id", "text", (c) => c.notNull().references("shares.id"))
    .addColumn("exhibit_id", "text", (c) => c.notNull().references("exhibits.id"))
    .addColumn("position", "integer", (c) => c.notNull())
    .addColumn("kinds", "text", (c) => c.notNull())
    .addColumn("disclosed_at", "text")
    .addColumn("revoked_at", "text")
    .addPrimaryKeyConstraint("share_exhibits_key", ["share_id", "exhibit_id"])
    .execute();
  await database.schema
    .createTable("share_sessions")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("share_id", "text", (c) => c.notNull().references("shares.id"))
    .addColumn("secret_sha256", "text", (c) => c.notNull().unique())
    .addColumn("address", "text", (c) => c.notNull())
    .addColumn("agent", "text", (c) => c.notNull())
    .addColumn("started_at", "text", (c) => c.notNull())
    .addColumn("ends_at", "text", (c) => c.notNull())
    .execute();
  await database.schema
    .createTable("share_accesses")
    .addColumn("seq", "integer", (c) => c.primaryKey().autoIncrement())
    .addColumn("share_id", "text", (c) => c.notNull().references("shares.id"))
    .addColumn("session_id", "text", (c) => c.references("share_sessions.id"))
    .addColumn("kind", "text", (c) => c.notNull())
    .addColumn("address", "text", (c) => c.notNull())
    .addColumn("agent", "text", (c) => c.notNull())
    .addColumn("exhibit_id", "text")
    .addColumn("ordinal", "integer")
    .addColumn("detail", "text")
    .addColumn("first_at", "text", (c) => c.notNull())
    .addColumn("last_at", "text", (c) => c.notNull())
    .addColumn("times", "integer", (c) => c.notNull())
    .addColumn("segments", "text")
    .execute();
  await database.schema
    .createIndex("share_accesses_of_share")
    .on("share_accesses")
    .columns(["share_id", "kind", "address"])
    .execute();
}
