import { sql, type Kysely } from "kysely";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import { nextCustody, serverActor, type CustodyNote } from "../custody/custody.ts";
import type { CustodyEventRow, ExhibitRow, StoredFileRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ServerDeps } from "../deps.ts";
import { receiptOf } from "../exhibits/documents.ts";
import { sealedOtherwise } from "../exhibits/seal-exhibit.ts";
import type { Provable } from "./check-member.ts";
import { inSlices } from "./in-slices.ts";

type SettleDeps = Pick<ServerDeps, "database" | "clock" | "key" | "settings" | "content">;

/** What is decided of one exhibit: what its rows will be. */
interface Settled {
  readonly row: ExhibitRow;
  readonly file: StoredFileRow | undefined;
  readonly events: readonly CustodyEventRow[];
}

/**
 * The decision for exhibits whose files are stored and durable, in one transaction: from here on these records and receipts
 * are theirs. An answer for each, in order: one that another request has changed meanwhile is left as it is.
 */
export async function settleAll(
  deps: SettleDeps,
  caller: Identity,
  provables: readonly Provable[],
): Promise<readonly (ExhibitRow | ExhibitError)[]> {
  // Signed before the transaction, which nobody else can use the database beside, and counts only if nothing has changed.
  const settled: Settled[] = [];
  for (const provable of provables) settled.push(await settledOf(deps, caller, provable));
  return deps.database.transaction().execute(async (trx) => {
    const changed = await changedSince(trx, provables);
    const kept = settled.filter(({ row }) => !changed.has(row.id));
    const files = kept.flatMap(({ file }) => file ?? []);
    const events = kept.flatMap((one) => one.events);
    await inSlices(files, (slice) => trx.insertInto("stored_files").values(slice).execute());
    await inSlices(events, (slice) => trx.insertInto("custody_events").values(slice).execute());
    await inSlices(kept, (slice) => settle(trx, slice));
    return settled.map(({ row }) => changed.get(row.id) ?? row);
  });
}

async function settledOf(
  deps: SettleDeps,
  caller: Identity,
  { exhibit, member, sha256, record, recordSha256, recordText, before }: Provable,
): Promise<Settled> {
  const { row, stored } = exhibit;
  const { key } = member;
  const sizeBytes = member.bytes.byteLength;
  const sealedAt = deps.clock.now().toISOString();
  const file: StoredFileRow = before ?? {
    key,
    exhibit_id: row.id,
    size_bytes: sizeBytes,
    sha256,
    proof: "whole",
    stored_at: sealedAt,
    kept: null,
  };
  const arrival: CustodyNote[] = [
    ["received", caller.id, { key, sizeBytes }],
    ["proved", serverActor, { key, sha256, proof: file.proof }],
  ];
  const { collectedAt } = record;
  const { rows, after } = nextCustody(deps.clock, row, [
    ...(before === undefined ? arrival : []),
    ["collected", caller.id, { collectedAt, record: recordSha256 }],
    ["sealed", caller.id, { record: recordSha256, files: record.files.length }],
  ]);
  const facts = {
    digest: recordSha256,
    sealedAt,
    custody: after,
    stored: before === undefined ? [...stored, file] : stored,
  };
  const receipt = await receiptOf(deps, record, facts);
  return {
    file: before === undefined ? file : undefined,
    events: rows,
    row: {
      ...row,
      state: "sealing",
      sealed_at: sealedAt,
      record: recordText,
      receipt: JSON.stringify(receipt),
      custody_lines: after.lines,
      custody_head: after.head,
    },
  };
}

/** Those that are no longer as they were: whatever happens to an exhibit adds to its custody log. */
async function changedSince(
  trx: Kysely<Tables>,
  provables: readonly Provable[],
): Promise<ReadonlyMap<string, ExhibitError>> {
  const now = new Map<string, Pick<ExhibitRow, "state" | "custody_head">>();
  await inSlices(provables, async (slice) => {
    const ids = slice.map(({ exhibit }) => exhibit.row.id);
    const rows = await trx
      .selectFrom("exhibits")
      .select(["id", "state", "custody_head"])
      .where("id", "in", ids)
      .execute();
    for (const row of rows) now.set(row.id, row);
  });
  const changed = new Map<string, ExhibitError>();
  for (const { exhibit } of provables) {
    const { id, custody_head: head } = exhibit.row;
    const found = now.get(id);
    if (found?.state !== "open") changed.set(id, sealedOtherwise());
    else if (found.custody_head !== head) changed.set(id, overtaken());
  }
  return changed;
}

async function settle(trx: Kysely<Tables>, slice: readonly Settled[]): Promise<void> {
  const values = slice.map(
    ({ row }) =>
      sql`(${row.id}, ${row.sealed_at}, ${row.record}, ${row.receipt}, ${row.custody_lines}, ${row.custody_head})`,
  );
  // The columns of a list of values have these names in SQLite and in PostgreSQL.
  await sql`
    update exhibits
    set state = 'sealing', sealed_at = given.column2, record = given.column3, receipt = given.column4,
        custody_lines = given.column5, custody_head = given.column6
    from (values ${sql.join(values)}) as given
    where exhibits.id = given.column1`.execute(trx);
}

function overtaken(): ExhibitError {
  return new ExhibitError("unavailable.busy", "Another request is working on this exhibit.", {
    hint: "Try again in a moment.",
  });
}
