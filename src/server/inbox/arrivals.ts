import { sql, type Kysely } from "kysely";
import type { Arrival } from "../../evidence/arrival.ts";
import { smokeCase } from "../../evidence/case.ts";
import type { Identity } from "../../evidence/identity.ts";
import { recordedOf } from "../cases/case-exhibits.ts";
import type { Tables } from "../database/tables.ts";
import { ownCases } from "./own-cases.ts";

/** Arrivals that are read at once. */
const pageLimit = 100;

/** Writes down, in the transaction that seals them, that exhibits have landed; synthetic material never does. Repeating it changes nothing. */
export async function noteArrivals(
  trx: Kysely<Tables>,
  exhibits: readonly string[],
): Promise<void> {
  if (exhibits.length === 0) return;
  const synthetic = await trx
    .selectFrom("exhibits")
    .select("id")
    .where("id", "in", exhibits)
    .where("case_ref", "=", smokeCase)
    .execute();
  const landed = exhibits.filter((id) => synthetic.every((one) => one.id !== id));
  if (landed.length === 0) return;
  await trx
    .insertInto("arrivals")
    .values(landed.map((id) => ({ exhibit_id: id })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The number of the latest arrival; 0 before the first. Writers take turns, so nothing lower is still on its way. */
export async function latestArrival(database: Kysely<Tables>): Promise<number> {
  const row = await database
    .selectFrom("arrivals")
    .select((of) => of.fn.max("seq").as("seq"))
    .executeTakeFirst();
  return (row?.seq as number | null | undefined) ?? 0;
}

export interface ArrivalsWanted {
  readonly after: number;
  readonly case?: string | undefined;
  readonly since?: string | undefined;
}

/** What has landed in the caller's cases, or in one that was named, oldest first. */
export async function arrivalsAfter(
  database: Kysely<Tables>,
  caller: Identity,
  { after, case: caseRef, since }: ArrivalsWanted,
): Promise<{ arrivals: Arrival[]; upTo: number; isLast: boolean }> {
  const latest = await latestArrival(database);
  const rows = await database
    .selectFrom("arrivals")
    .innerJoin("exhibits", "exhibits.id", "arrivals.exhibit_id")
    .innerJoin("identities", "identities.id", "exhibits.submitter")
    .select(["arrivals.seq", "exhibits.id", "case_ref", "reference", "sealed_at", "reserved_at"])
    .select(["submitter", "organisation"])
    .where("arrivals.seq", ">", after)
    .where("arrivals.seq", "<=", latest)
    .$if(since !== undefined, (query) => query.where("sealed_at", ">=", since ?? ""))
    .$if(caseRef !== undefined, (query) => query.where("case_ref", "=", caseRef ?? ""))
    .$if(caseRef === undefined, (query) =>
      query.where(sql<boolean>`exhibits.case_ref in ${ownCases(caller.id)}`),
    )
    .orderBy("arrivals.seq")
    .limit(pageLimit)
    .execute();
  const arrivals: Arrival[] = [];
  for (const row of rows) {
    const { title, files, sizeBytes } = await recordedOf(database, row.id);
    arrivals.push({
      seq: row.seq,
      id: row.id,
      case: row.case_ref,
      reference: row.reference,
      ...(title === undefined ? {} : { title }),
      from: { id: row.submitter, organisation: row.organisation },
      sealedAt: row.sealed_at ?? row.reserved_at,
      files,
      sizeBytes,
    });
  }
  const isLast = rows.length < pageLimit;
  return { arrivals, isLast, upTo: isLast ? latest : (rows.at(-1)?.seq ?? latest) };
}
