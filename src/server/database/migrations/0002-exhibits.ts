import type { Kysely } from "kysely";

export async function up(_database: Kysely<unknown>): Promise<void> {
  // Filled in by the room that owns these tables.
}
