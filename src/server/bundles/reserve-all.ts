import type { Kysely } from "kysely";
import type { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { GroupedContent } from "../../evidence/ports/grouped-content.ts";
import { chargeQuota, refundQuota } from "../accounts/quota.ts";
import type { CustodyEventRow, ExhibitRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ServerDeps } from "../deps.ts";
import { foundAgain, newExhibit, type Reservation } from "../exhibits/reserve.ts";
import { FreeReferences } from "./free-references.ts";
import { inSlices } from "./in-slices.ts";
import { orRefused } from "./or-refused.ts";

/**
 * As `reserve`, for many in one transaction; an answer for each, in order: one that is refused does not touch the others.
 *
 * @throws what concerns all of them
 */
export async function reserveAll(
  { database, clock }: Pick<ServerDeps, "database" | "clock">,
  content: GroupedContent,
  caller: Identity,
  wanted: readonly Reservation[],
  signal: AbortSignal,
): Promise<readonly (ExhibitRow | ExhibitError)[]> {
  const references = new FreeReferences(content, signal);
  await references.foresee(database, caller, wanted);
  return database.transaction().execute(async (trx) => {
    const own = await ownExhibits(trx, caller, wanted);
    const paid = await prepaid(trx, caller, wanted, own);
    let rows: ExhibitRow[] = [];
    let events: CustodyEventRow[] = [];
    const write = async (): Promise<void> => {
      await inSlices(rows, (slice) => trx.insertInto("exhibits").values(slice).execute());
      await inSlices(events, (slice) => trx.insertInto("custody_events").values(slice).execute());
      rows = [];
      events = [];
    };
    const reserved = async (one: Reservation): Promise<ExhibitRow> => {
      const source = sourceOf(one);
      const known = own.get(source);
      if (known !== undefined) {
        if (rows.includes(known)) await write();
        const found = await foundAgain(trx, known, one);
        own.set(source, found);
        return found;
      }
      if (!paid.delete(source)) await chargeQuota(trx, caller.id, one.totalBytes);
      const reference = await references.give(trx, caller, one).catch(async (error: unknown) => {
        await refundQuota(trx, caller.id, one.totalBytes);
        throw error;
      });
      const made = newExhibit(clock, caller, one, reference);
      own.set(source, made.row);
      rows.push(made.row);
      events.push(...made.events);
      return made.row;
    };
    const answers: (ExhibitRow | ExhibitError)[] = [];
    for (const one of wanted) answers.push(await orRefused(() => reserved(one)));
    await write();
    return answers;
  });
}

function sourceOf({ case: caseRef, sourceId }: Reservation): string {
  return `${caseRef}\n${sourceId}`;
}

/** The caller's exhibits of these sources. */
async function ownExhibits(
  trx: Kysely<Tables>,
  caller: Identity,
  wanted: readonly Reservation[],
): Promise<Map<string, ExhibitRow>> {
  const found = new Map<string, ExhibitRow>();
  for (const caseRef of new Set(wanted.map((one) => one.case))) {
    const sourceIds = wanted.flatMap((one) => (one.case === caseRef ? [one.sourceId] : []));
    const rows = await trx
      .selectFrom("exhibits")
      .selectAll()
      .where("submitter", "=", caller.id)
      .where("case_ref", "=", caseRef)
      .where("source_id", "in", sourceIds)
      .execute();
    for (const row of rows)
      found.set(sourceOf({ ...row, case: caseRef, sourceId: row.source_id, totalBytes: 0 }), row);
  }
  return found;
}

/**
 * Charges all that are new at once, where all fit into the quota. Where they don't, none is charged: each is at its turn,
 * and those that fit come in.
 *
 * @returns the sources that are paid for
 */
async function prepaid(
  trx: Kysely<Tables>,
  caller: Identity,
  wanted: readonly Reservation[],
  own: ReadonlyMap<string, ExhibitRow>,
): Promise<Set<string>> {
  const fresh = new Map<string, number>();
  for (const one of wanted) {
    const source = sourceOf(one);
    if (!own.has(source) && !fresh.has(source)) fresh.set(source, one.totalBytes);
  }
  const bytes = [...fresh.values()].reduce((sum, one) => sum + one, 0);
  if (!Number.isSafeInteger(bytes)) return new Set();
  const charged = await orRefused(() => chargeQuota(trx, caller.id, bytes));
  return charged === undefined ? new Set(fresh.keys()) : new Set();
}
