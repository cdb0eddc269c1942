import type { Kysely } from "kysely";

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable("invitations")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("secret_sha256", "text", (c) => c.notNull().unique())
    .addColumn("role", "text", (c) => c.notNull())
    .addColumn("organisation", "text", (c) => c.notNull())
    .addColumn("quota_bytes", "bigint")
    .addColumn("created_at", "text", (c) => c.notNull())
    .addColumn("created_by", "text")
    .addColumn("expires_at", "text", (c) => c.notNull())
    .addColumn("used_at", "text")
    .addColumn("revoked_at", "text")
    .execute();
  await database.schema
    .createTable("identities")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("role", "text", (c) => c.notNull())
    .addColumn("organisation", "text", (c) => c.notNull())
    .addColumn("key_jwk", "text", (c) => c.notNull())
    .addColumn("key_thumbprint", "text", (c) => c.notNull())
    .addColumn("invitation_id", "text", (c) => c.notNull().references("invitations.id").unique())
    .addColumn("enrolled_at", "text", (c) => c.notNull())
    .addColumn("revoked_at", "text")
    .addColumn("quota_bytes", "bigint")
    .addColumn("used_bytes", "bigint", (c) => c.notNull().defaultTo(0))
    .execute();
  await database.schema
    .createTable("oidc_payloads")
    .addColumn("model", "text", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("payload", "text", (c) => c.notNull())
    .addColumn("expires_at", "text")
    .addPrimaryKeyConstraint("oidc_payloads_key", ["model", "id"])
    .execute();
}
