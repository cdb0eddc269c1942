import type { Kysely } from "kysely";
import type { z } from "zod";
import { emptyCustody } from "../../evidence/custody.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import { exhibitPrefix } from "../../evidence/key.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { Store } from "../../evidence/ports/store.ts";
import { randomId } from "../../evidence/random-id.ts";
import type { reservationSchema } from "../../protocol/exhibits.ts";
import { chargeQuota } from "../accounts/quota.ts";
import { nextCustody } from "../custody/custody.ts";
import type { CustodyEventRow, ExhibitRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ServerDeps } from "../deps.ts";
import { initialsOf } from "./initials.ts";

export type Reservation = z.output<typeof reservationSchema>;

/** The most serials that one case gives out under one producer's initials. */
export const lastSerial = 999_999;

/**
 * Reserves an exhibit, or finds the one that the caller reserved for the same case and source id. Its bytes are
 * charged to the quota once; asking again for more while it is open charges the difference.
 *
 * @throws ExhibitError `conflict.exists` when the wanted reference is another source's, or the caller's own source has
 * another reference; `policy.quota`
 */
export async function reserve(
  { database, content, clock }: Pick<ServerDeps, "database" | "content" | "clock">,
  caller: Identity,
  wanted: Reservation,
  signal: AbortSignal,
): Promise<{ row: ExhibitRow; made: boolean }> {
  return database.transaction().execute(async (trx) => {
    const own = await trx
      .selectFrom("exhibits")
      .selectAll()
      .where("submitter", "=", caller.id)
      .where("case_ref", "=", wanted.case)
      .where("source_id", "=", wanted.sourceId)
      .executeTakeFirst();
    if (own !== undefined) return { row: await foundAgain(trx, own, wanted), made: false };

    const reference =
      wanted.reference === undefined
        ? await allot(trx, content, wanted.case, initialsFor(caller, wanted), signal)
        : await take(trx, content, caller, wanted.case, wanted.reference, signal);
    await chargeQuota(trx, caller.id, wanted.totalBytes);
    const { row, events } = newExhibit(clock, caller, wanted, reference);
    await trx.insertInto("exhibits").values(row).execute();
    await trx.insertInto("custody_events").values(events).execute();
    return { row, made: true };
  });
}

/** A new exhibit, and its custody log's first line. */
export function newExhibit(
  clock: Clock,
  caller: Identity,
  wanted: Reservation,
  reference: string,
): { row: ExhibitRow; events: readonly CustodyEventRow[] } {
  const row: ExhibitRow = {
    id: randomId("x"),
    submitter: caller.id,
    case_ref: wanted.case,
    reference,
    source_id: wanted.sourceId,
    total_bytes: wanted.totalBytes,
    reserved_at: clock.now().toISOString(),
    state: "open",
    sealed_at: null,
    record: null,
    receipt: null,
    custody_lines: emptyCustody.lines,
    custody_head: emptyCustody.head,
  };
  const { totalBytes } = wanted;
  const { rows, after } = nextCustody(clock, row, [
    ["reserved", caller.id, { reference, totalBytes }],
  ]);
  return {
    row: { ...row, custody_lines: after.lines, custody_head: after.head },
    events: rows,
  };
}

/** The initials that a reservation is allotted a reference under. */
export function initialsFor(caller: Identity, wanted: Reservation): string {
  return wanted.initials ?? initialsOf(caller.organisation);
}

/**
 * The caller's own exhibit asked for again; charged for what it needs more.
 *
 * @throws ExhibitError `conflict.exists`, `policy.quota`
 */
export async function foundAgain(
  trx: Kysely<Tables>,
  own: ExhibitRow,
  wanted: Reservation,
): Promise<ExhibitRow> {
  if (wanted.reference !== undefined && wanted.reference !== own.reference) {
    throw new ExhibitError(
      "conflict.exists",
      `This source was reserved as ${own.reference} before, not as ${wanted.reference}.`,
      {
        hint: `Leave the reference out or give ${own.reference}; for a new exhibit give another source id.`,
        facts: { reference: own.reference },
      },
    );
  }
  const more = wanted.totalBytes - own.total_bytes;
  if (own.state !== "open" || more <= 0) return own;
  await chargeQuota(trx, own.submitter, more);
  await trx
    .updateTable("exhibits")
    .set({ total_bytes: wanted.totalBytes })
    .where("id", "=", own.id)
    .execute();
  return { ...own, total_bytes: wanted.totalBytes };
}

async function take(
  trx: Kysely<Tables>,
  content: Store,
  caller: Identity,
  caseRef: string,
  reference: string,
  signal: AbortSignal,
): Promise<string> {
  const taken = await trx
    .selectFrom("exhibits")
    .select(["submitter", "source_id"])
    .where("case_ref", "=", caseRef)
    .where("reference", "=", reference)
    .executeTakeFirst();
  if (taken === undefined && !(await holdsContent(content, caseRef, reference, signal))) {
    return reference;
  }
  throw referenceTaken(caller, caseRef, reference, taken);
}

/** `by` is the exhibit that has it, where it is one and not only something in the content store. */
export function referenceTaken(
  caller: Identity,
  caseRef: string,
  reference: string,
  by: Pick<ExhibitRow, "submitter" | "source_id"> | undefined,
): ExhibitError {
  return new ExhibitError("conflict.exists", `${reference} is taken in the case ${caseRef}.`, {
    hint:
      by?.submitter === caller.id
        ? `If this is the upload that took it, and its file has changed since, go on with it by --source-id ${by.source_id}. Otherwise choose another reference.`
        : "Choose another reference, or leave it out to be given the next free one.",
    facts: { reference },
  });
}

/** The next serial after the highest; the transaction keeps two from being given the same. */
async function allot(
  trx: Kysely<Tables>,
  content: Store,
  caseRef: string,
  initials: string,
  signal: AbortSignal,
): Promise<string> {
  const rows = await trx
    .selectFrom("exhibits")
    .select("reference")
    .where("case_ref", "=", caseRef)
    .where("reference", "like", `${initials}/%`)
    .execute();
  let serial = Math.max(0, ...rows.map((row) => Number(row.reference.split("/")[1])));
  while (serial < lastSerial) {
    serial += 1;
    const reference = `${initials}/${serial}`;
    if (!(await holdsContent(content, caseRef, reference, signal))) return reference;
  }
  throw noneFree(initials);
}

export function noneFree(initials: string): ExhibitError {
  return new ExhibitError("conflict.exists", `The case has no free reference under ${initials}.`, {
    hint: "Give other initials.",
  });
}

/** True when something lies there that the database does not know, e.g. after a backup was restored. */
async function holdsContent(
  content: Store,
  caseRef: string,
  reference: string,
  signal: AbortSignal,
): Promise<boolean> {
  const keys = content.list(`${exhibitPrefix(caseRef, reference)}/`, signal);
  const first = await keys[Symbol.asyncIterator]().next();
  return first.done !== true;
}
