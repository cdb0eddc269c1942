import type { Kysely } from "kysely";

export async function up(database: Kysely<unknown>): Promise<void> {
  const added = ["by_mail", "no_notes"] as const;
  for (const name of added) {
    await database.schema
      .alterTable("shares")
      .addColumn(name, "integer", (c) => c.notNull().defaultTo(0))
      .execute();
  }
  for (const name of ["mailed_code_salt", "mailed_code_scrypt", "mailed_code_until"]) {
    await database.schema.alterTable("shares").addColumn(name, "text").execute();
  }
  await database.schema
    .createTable("share_mails")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("share_id", "text", (c) => c.notNull().references("shares.id"))
    .addColumn("kind", "text", (c) => c.notNull())
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("sealed", "text")
    .addColumn("reply", "text")
    .addColumn("tries", "integer", (c) => c.notNull())
    .addColumn("made_at", "text", (c) => c.notNull())
    .addColumn("next_at", "text", (c) => c.notNull())
    .addColumn("give_up_at", "text", (c) => c.notNull())
    .addColumn("tried_at", "text")
    .execute();
  await database.schema
    .createIndex("share_mails_waiting")
    .on("share_mails")
    .columns(["state", "next_at"])
    .execute();
  await database.schema
    .createIndex("share_mails_of_share")
    .on("share_mails")
    .columns(["share_id", "kind"])
    .execute();
  await database.schema
    .createTable("share_notes")
    .addColumn("seq", "integer", (c) => c.primaryKey().autoIncrement())
    .addColumn("share_id", "text", (c) => c.notNull().references("shares.id"))
    .addColumn("session_id", "text", (c) => c.notNull().references("share_sessions.id"))
    .addColumn("exhibit_id", "text", (c) => c.notNull().references("exhibits.id"))
    .addColumn("ordinal", "integer", (c) => c.notNull())
    .addColumn("seconds", "real")
    .addColumn("page", "integer")
    .addColumn("text", "text", (c) => c.notNull())
    .addColumn("at", "text", (c) => c.notNull())
    .execute();
  await database.schema
    .createIndex("share_notes_of_share")
    .on("share_notes")
    .column("share_id")
    .execute();
}
