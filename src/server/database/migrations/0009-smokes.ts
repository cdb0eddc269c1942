import type { Kysely } from "kysely";

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable("smokes")
    .addColumn("serial", "integer", (c) => c.primaryKey().autoIncrement())
    .addColumn("exhibit_id", "text", (c) => c.unique())
    .addColumn("started_by", "text", (c) => c.notNull())
    .addColumn("started_at", "text", (c) => c.notNull())
    .addColumn("erased_at", "text")
    .addColumn("erased_by", "text")
    .execute();
}
