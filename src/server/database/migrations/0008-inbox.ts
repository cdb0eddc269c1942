import { sql, type Kysely } from "kysely";

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable("arrivals")
    .addColumn("seq", "integer", (c) => c.primaryKey().autoIncrement())
    .addColumn("exhibit_id", "text", (c) => c.notNull().unique().references("exhibits.id"))
    .execute();
  await database.schema
    .createTable("case_follows")
    .addColumn("identity_id", "text", (c) => c.notNull().references("identities.id"))
    .addColumn("case_ref", "text", (c) => c.notNull())
    .addColumn("follows", "integer", (c) => c.notNull())
    .addColumn("changed_at", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("case_follows_key", ["identity_id", "case_ref"])
    .execute();
  await database.schema
    .createTable("inbox_marks")
    .addColumn("identity_id", "text", (c) => c.primaryKey().references("identities.id"))
    .addColumn("seq", "integer", (c) => c.notNull())
    .execute();
  await sql`insert into arrivals (exhibit_id)
    select id from exhibits where state = 'sealed' order by sealed_at, id`.execute(database);
}
