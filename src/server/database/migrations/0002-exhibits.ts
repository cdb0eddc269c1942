import type { Kysely } from "kysely";

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable("exhibits")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("submitter", "text", (c) => c.notNull().references("identities.id"))
    .addColumn("case_ref", "text", (c) => c.notNull())
    .addColumn("reference", "text", (c) => c.notNull())
    .addColumn("source_id", "text", (c) => c.notNull())
    .addColumn("total_bytes", "bigint", (c) => c.notNull())
    .addColumn("reserved_at", "text", (c) => c.notNull())
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("sealed_at", "text")
    .addColumn("record", "text")
    .addColumn("receipt", "text")
    .addColumn("custody_lines", "integer", (c) => c.notNull())
    .addColumn("custody_head", "text", (c) => c.notNull())
    .addUniqueConstraint("exhibits_source", ["submitter", "case_ref", "source_id"])
    .addUniqueConstraint("exhibits_reference", ["case_ref", "reference"])
    .execute();
  await database.schema
    .createTable("custody_events")
    .addColumn("exhibit_id", "text", (c) => c.notNull().references("exhibits.id"))
    .addColumn("seq", "integer", (c) => c.notNull())
    .addColumn("verb", "text", (c) => c.notNull())
    .addColumn("line", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("custody_events_key", ["exhibit_id", "seq"])
    .execute();
  await database.schema
    .createTable("stored_files")
    .addColumn("key", "text", (c) => c.primaryKey())
    .addColumn("exhibit_id", "text", (c) => c.notNull().references("exhibits.id"))
    .addColumn("size_bytes", "bigint", (c) => c.notNull())
    .addColumn("sha256", "text", (c) => c.notNull())
    .addColumn("proof", "text", (c) => c.notNull())
    .addColumn("stored_at", "text", (c) => c.notNull())
    .execute();
  await database.schema
    .createIndex("stored_files_of_exhibit")
    .on("stored_files")
    .columns(["exhibit_id", "size_bytes", "key"])
    .execute();
  await database.schema
    .createTable("uploads")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("exhibit_id", "text", (c) => c.notNull().references("exhibits.id"))
    .addColumn("owner", "text", (c) => c.notNull().references("identities.id"))
    .addColumn("key", "text", (c) => c.notNull())
    .addColumn("size_bytes", "bigint", (c) => c.notNull())
    .addColumn("part_bytes", "bigint", (c) => c.notNull())
    .addColumn("content_id", "text", (c) => c.notNull().unique())
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("sha256", "text")
    .addColumn("started_at", "text", (c) => c.notNull())
    .addColumn("expires_at", "text", (c) => c.notNull())
    .execute();
  await database.schema
    .createIndex("uploads_of_exhibit")
    .on("uploads")
    .column("exhibit_id")
    .execute();
  await database.schema.createIndex("uploads_of_owner").on("uploads").column("owner").execute();
}
