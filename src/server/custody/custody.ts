import type { Kysely } from "kysely";
import { nextCustodyLine, type CustodyHead, type CustodyVerb } from "../../evidence/custody.ts";
import type { Facts } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { CustodyEventRow, ExhibitRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";

/** The actor of what the server does by itself. */
export const serverActor = "server";

/**
 * Appends one event to an exhibit's custody log inside the caller's transaction, so that what happened and its line
 * become durable together. `actor` is an identity's or a share's id, or {@link serverActor}; facts hold no names.
 *
 * @returns where the log stands now
 */
export async function appendCustody(
  trx: Kysely<Tables>,
  clock: Clock,
  exhibitId: string,
  verb: CustodyVerb,
  actor: string,
  facts: Facts,
): Promise<CustodyHead> {
  const row = await trx
    .selectFrom("exhibits")
    .select(["custody_lines", "custody_head"])
    .where("id", "=", exhibitId)
    .executeTakeFirstOrThrow();
  const { line, after } = nextCustodyLine(
    { lines: row.custody_lines, head: row.custody_head },
    { exhibit: exhibitId, at: clock.now().toISOString(), verb, actor, facts },
  );
  await trx
    .insertInto("custody_events")
    .values({ exhibit_id: exhibitId, seq: after.lines, verb, line })
    .execute();
  await trx
    .updateTable("exhibits")
    .set({ custody_lines: after.lines, custody_head: after.head })
    .where("id", "=", exhibitId)
    .execute();
  return after;
}

/** One event that is still to be written. */
export type CustodyNote = readonly [verb: CustodyVerb, actor: string, facts: Facts];

/**
 * The rows of several events of one exhibit behind where its log stands, and where it stands after them, for a writer that
 * writes many at once: in the transaction in which it has found the log to stand there.
 */
export function nextCustody(
  clock: Clock,
  exhibit: Pick<ExhibitRow, "id" | "custody_lines" | "custody_head">,
  notes: readonly CustodyNote[],
): { readonly rows: readonly CustodyEventRow[]; readonly after: CustodyHead } {
  let after: CustodyHead = { lines: exhibit.custody_lines, head: exhibit.custody_head };
  const rows = notes.map(([verb, actor, facts]) => {
    const at = clock.now().toISOString();
    const next = nextCustodyLine(after, { exhibit: exhibit.id, at, verb, actor, facts });
    after = next.after;
    return { exhibit_id: exhibit.id, seq: after.lines, verb, line: next.line };
  });
  return { rows, after };
}

/** The lines of an exhibit's custody log as written, oldest first; the first `lines` of them, or all. */
export async function custodyLines(
  database: Kysely<Tables>,
  exhibitId: string,
  lines?: number,
): Promise<string[]> {
  const rows = await database
    .selectFrom("custody_events")
    .select("line")
    .where("exhibit_id", "=", exhibitId)
    .$if(lines !== undefined, (query) => query.where("seq", "<=", lines ?? 0))
    .orderBy("seq")
    .execute();
  return rows.map((row) => row.line);
}
