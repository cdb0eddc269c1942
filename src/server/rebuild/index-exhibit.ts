import { sql, type Kysely } from "kysely";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { custodyName, receiptName, recordName } from "../../evidence/key.ts";
import { appendCustody, serverActor } from "../custody/custody.ts";
import type { ExhibitRow, StoredFileRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ServerDeps } from "../deps.ts";
import { noteArrivals } from "../inbox/arrivals.ts";
import type { ExhibitFolder } from "./exhibit-folders.ts";
import { keepSubmitter } from "./keep-submitter.ts";
import type { FoundExhibit } from "./read-documents.ts";

/** What became of an exhibit that was found: new to the database, finished there, or known as it is. */
export type Indexed = "added" | "finished" | "present";

type IndexDeps = Pick<ServerDeps, "database" | "clock">;

/**
 * Enters an exhibit that was found in the content store and believed, in one transaction. One that the database has as it is stays
 * untouched, so that repeating it changes nothing.
 *
 * @throws ExhibitError `conflict.exists` when the database says something else of this exhibit, its reference, or its source
 */
export async function indexExhibit(
  deps: IndexDeps,
  folder: ExhibitFolder,
  found: FoundExhibit,
): Promise<Indexed> {
  return deps.database.transaction().execute(async (trx) => {
    const before = await rowsAbout(trx, found);
    const [row] = before;
    if (row !== undefined) {
      if (before.length > 1 || !isSame(row, found)) throw saysOtherwise(found);
      if (row.state === "sealed") {
        if (row.record !== found.recordText) throw saysOtherwise(found);
        return "present";
      }
      await requireSameLog(trx, row, found);
    }
    await write(trx, row, folder, found, deps);
    return row === undefined ? "added" : "finished";
  });
}

/** What the database has under this id, or under this case and reference. */
function rowsAbout(trx: Kysely<Tables>, { record }: FoundExhibit): Promise<ExhibitRow[]> {
  return trx
    .selectFrom("exhibits")
    .selectAll()
    .where((row) =>
      row.or([
        row("id", "=", record.id),
        row.and([row("case_ref", "=", record.case), row("reference", "=", record.reference)]),
      ]),
    )
    .execute();
}

function isSame(row: ExhibitRow, { record }: FoundExhibit): boolean {
  return (
    row.id === record.id &&
    row.case_ref === record.case &&
    row.reference === record.reference &&
    row.source_id === record.sourceId
  );
}

/** An exhibit that was open when the database was copied has no other custody log than the first lines of the sealed one. */
async function requireSameLog(
  trx: Kysely<Tables>,
  row: ExhibitRow,
  found: FoundExhibit,
): Promise<void> {
  const lines = await trx
    .selectFrom("custody_events")
    .select("line")
    .where("exhibit_id", "=", row.id)
    .orderBy("seq")
    .execute();
  const differs = lines.some(({ line }, at) => found.custody.lines[at] !== line);
  if (differs) throw saysOtherwise(found);
}

async function write(
  trx: Kysely<Tables>,
  before: ExhibitRow | undefined,
  folder: ExhibitFolder,
  found: FoundExhibit,
  { clock }: Pick<IndexDeps, "clock">,
): Promise<void> {
  const { record, receipt, custody } = found;
  const [first] = custody.events;
  const submitter = before?.submitter ?? first?.actor ?? "";
  const sealed = {
    state: "sealed",
    sealed_at: receipt.receivedAt,
    record: found.recordText,
    receipt: found.receiptText,
    custody_lines: custody.head.lines,
    custody_head: custody.head.head,
  } as const;
  if (before === undefined) {
    await keepSubmitter(trx, clock, { id: submitter, ...record.uploader });
    await requireFreeSource(trx, submitter, found);
    const totalBytes = record.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    await trx
      .updateTable("identities")
      .set({ used_bytes: sql<number>`used_bytes + ${totalBytes}` })
      .where("id", "=", submitter)
      .execute();
    await trx
      .insertInto("exhibits")
      .values({
        id: record.id,
        submitter,
        case_ref: record.case,
        reference: record.reference,
        source_id: record.sourceId,
        total_bytes: totalBytes,
        reserved_at: first?.at ?? receipt.receivedAt,
        ...sealed,
      })
      .execute();
  } else {
    await trx.updateTable("exhibits").set(sealed).where("id", "=", record.id).execute();
    await trx.deleteFrom("custody_events").where("exhibit_id", "=", record.id).execute();
    await trx.deleteFrom("stored_files").where("exhibit_id", "=", record.id).execute();
    await trx.deleteFrom("uploads").where("exhibit_id", "=", record.id).execute();
  }
  const events = custody.events.map(({ seq, verb }, at) => ({
    exhibit_id: record.id,
    seq,
    verb,
    line: custody.lines[at] ?? "",
  }));
  await inSlices(events, (slice) => trx.insertInto("custody_events").values(slice).execute());
  await inSlices(storedFiles(folder, found), (slice) =>
    trx.insertInto("stored_files").values(slice).execute(),
  );
  // What happened to it between its sealing and the loss of the database is not known any more: the log says so.
  await noteArrivals(trx, [record.id]);
  await appendCustody(trx, clock, record.id, "indexed-again", serverActor, {
    after: custody.head.head,
  });
}

async function requireFreeSource(
  trx: Kysely<Tables>,
  submitter: string,
  found: FoundExhibit,
): Promise<void> {
  const other = await trx
    .selectFrom("exhibits")
    .select("id")
    .where("submitter", "=", submitter)
    .where("case_ref", "=", found.record.case)
    .where("source_id", "=", found.record.sourceId)
    .executeTakeFirst();
  if (other !== undefined) throw saysOtherwise(found);
}

function storedFiles(
  folder: ExhibitFolder,
  { record, receipt, custody, ...texts }: FoundExhibit,
): StoredFileRow[] {
  const common = { exhibit_id: record.id, stored_at: receipt.receivedAt } as const;
  const files = receipt.files.map(({ key, sizeBytes, digest, proof, kept }) => ({
    ...common,
    key,
    size_bytes: sizeBytes,
    sha256: digest.sha256,
    proof,
    kept: kept === undefined ? null : JSON.stringify(kept),
  }));
  const documents = [
    [custodyName, custody.lines.map((line) => `${line}\n`).join("")],
    [recordName, texts.recordText],
    [receiptName, texts.receiptText],
  ].map(([name = "", document = ""]) => ({
    ...common,
    key: `${folder.prefix}/${name}`,
    size_bytes: Buffer.byteLength(document),
    sha256: sha256Of(document),
    proof: "whole" as const,
    kept: null,
  }));
  return [...files, ...documents];
}

/** SQLite takes a limited number of values in one statement. */
async function inSlices<Row>(
  rows: readonly Row[],
  insert: (slice: readonly Row[]) => Promise<unknown>,
): Promise<void> {
  for (let at = 0; at < rows.length; at += 500) await insert(rows.slice(at, at + 500));
}

function saysOtherwise({ record }: FoundExhibit): ExhibitError {
  return new ExhibitError(
    "conflict.exists",
    "The database says something else of this exhibit, its reference or its source.",
    { facts: { id: record.id } },
  );
}
