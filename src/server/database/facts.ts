import { sql, type Kysely } from "kysely";
import type { Tables } from "./tables.ts";

/** How much a server's database holds, and how far it goes. */
export interface DatabaseFacts {
  /** The last migration that it has had. */
  readonly migration: string;
  readonly exhibits: number;
  readonly sealed: number;
  readonly identities: number;
  readonly shares: number;
  /** The exhibit that was sealed last. */
  readonly newest?: {
    readonly id: string;
    readonly case: string;
    readonly reference: string;
    readonly sealedAt: string;
  };
}

/** Counts what is in a server's database. */
export async function databaseFacts(database: Kysely<Tables>): Promise<DatabaseFacts> {
  const count = async (table: "exhibits" | "identities" | "shares"): Promise<number> => {
    const { n } = await database
      .selectFrom(table)
      .select((q) => q.fn.countAll<number>().as("n"))
      .executeTakeFirstOrThrow();
    return n;
  };
  const sealed = await database
    .selectFrom("exhibits")
    .select((q) => q.fn.countAll<number>().as("n"))
    .where("state", "=", "sealed")
    .executeTakeFirstOrThrow();
  const { rows } = await sql<{
    name: string;
  }>`select name from kysely_migration order by name desc limit 1`.execute(database);
  const newest = await database
    .selectFrom("exhibits")
    .select(["id", "case_ref", "reference", "sealed_at"])
    .where("state", "=", "sealed")
    .orderBy("sealed_at", "desc")
    .limit(1)
    .executeTakeFirst();
  return {
    migration: rows[0]?.name ?? "",
    exhibits: await count("exhibits"),
    sealed: sealed.n,
    identities: await count("identities"),
    shares: await count("shares"),
    ...(newest === undefined
      ? {}
      : {
          newest: {
            id: newest.id,
            case: newest.case_ref,
            reference: newest.reference,
            sealedAt: newest.sealed_at ?? "",
          },
        }),
  };
}
