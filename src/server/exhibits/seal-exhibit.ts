import type { Kysely } from "kysely";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { Sealed } from "../../evidence/seal.ts";
import { signingKeysOf } from "../accounts/identity-keys.ts";
import { appendCustody, custodyLines } from "../custody/custody.ts";
import type { ExhibitRow, StoredFileRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ServerDeps } from "../deps.ts";
import { noteArrivals } from "../inbox/arrivals.ts";
import { checkRecord } from "./check-record.ts";
import { documentsIn, receiptOf } from "./documents.ts";
import { ownExhibit } from "./visible-exhibits.ts";

type SealDeps = Pick<ServerDeps, "database" | "content" | "clock" | "key" | "settings">;

/**
 * Takes in an exhibit's signed record: settles custody log and receipt in the database, then writes custody log, record and
 * receipt to the content store, in that order, without overwriting. A crash anywhere in between is repaired by
 * asking again, or by reserving the exhibit again, which gives the very same receipt.
 *
 * @returns the sealed exhibit, or undefined while a file of it is still being proved
 * @throws ExhibitError `not-found.exhibit`, `integrity.signature`, `integrity.mismatch`, `conflict.sealed`,
 * `conflict.unfinished` while an upload into it is neither finished nor aborted
 */
export async function sealExhibit(
  deps: SealDeps,
  caller: Identity,
  id: string,
  sealed: Sealed,
  signal: AbortSignal,
): Promise<ExhibitRow | undefined> {
  const recordText = JSON.stringify(sealed);
  const before = await ownExhibit(deps.database, caller, id);
  if (before.state === "open") {
    const isSettled = await settle(deps, caller, before, sealed, recordText);
    if (!isSettled) return undefined;
  }
  const settled = await finishSealing(deps, await ownExhibit(deps.database, caller, id), signal);
  if (settled.record !== recordText) throw sealedOtherwise();
  return settled;
}

/** Finishes what a crash or a full disk stopped between the decision and the last document. */
export async function finishSealing(
  deps: SealDeps,
  exhibit: ExhibitRow,
  signal: AbortSignal,
): Promise<ExhibitRow> {
  if (exhibit.state !== "sealing") return exhibit;
  await writeDocuments(deps, exhibit, signal);
  return { ...exhibit, state: "sealed" };
}

/**
 * Whether a file of the exhibit is still being proved. An upload of a file that is held already cannot come to anything.
 *
 * @throws ExhibitError `conflict.unfinished` when one is still to be sent
 */
async function isProving(trx: Kysely<Tables>, id: string): Promise<boolean> {
  const uploads = await trx
    .selectFrom("uploads")
    .select(["key", "state"])
    .where("exhibit_id", "=", id)
    .where("state", "!=", "done")
    .where("key", "not in", (held) =>
      held.selectFrom("stored_files").select("key").where("exhibit_id", "=", id),
    )
    .execute();
  const receiving = uploads.find((upload) => upload.state === "receiving");
  if (receiving !== undefined) throw unfinished(receiving.key);
  return uploads.length > 0;
}

/**
 * The decision: from here on this record is the exhibit's, and no content is taken any more. Decided and asked in one
 * transaction, so that no file can be published between them and stay outside the record.
 *
 * @returns false, with nothing decided, while a file is still being proved
 */
async function settle(
  deps: SealDeps,
  caller: Identity,
  exhibit: ExhibitRow,
  sealed: Sealed,
  recordText: string,
): Promise<boolean> {
  const { database, clock } = deps;
  return database.transaction().execute(async (trx) => {
    if (await isProving(trx, exhibit.id)) return false;
    const stored = await trx
      .selectFrom("stored_files")
      .selectAll()
      .where("exhibit_id", "=", exhibit.id)
      .execute();
    const keys = await signingKeysOf(trx, caller.id);
    const record = await checkRecord(sealed, keys, exhibit, stored);
    const state = await trx
      .selectFrom("exhibits")
      .select("state")
      .where("id", "=", exhibit.id)
      .executeTakeFirstOrThrow();
    if (state.state !== "open") return true;

    const digest = sha256Of(recordText);
    await appendCustody(trx, clock, exhibit.id, "collected", caller.id, {
      collectedAt: record.collectedAt,
      record: digest,
    });
    const custody = await appendCustody(trx, clock, exhibit.id, "sealed", caller.id, {
      record: digest,
      files: record.files.length,
    });
    const sealedAt = clock.now().toISOString();
    const receipt = await receiptOf(deps, record, { digest, sealedAt, custody, stored });
    await trx
      .updateTable("exhibits")
      .set({
        state: "sealing",
        sealed_at: sealedAt,
        record: recordText,
        receipt: JSON.stringify(receipt),
      })
      .where("id", "=", exhibit.id)
      .execute();
    return true;
  });
}

async function writeDocuments(
  { database, content, clock }: SealDeps,
  exhibit: ExhibitRow,
  signal: AbortSignal,
): Promise<void> {
  const lines = await linesAtSealing(database, exhibit);
  const rows: StoredFileRow[] = [];
  for (const { key, bytes, sha256 } of documentsIn(exhibit, lines)) {
    const stored = await content.put(key, bytes, sha256, signal);
    rows.push({
      key,
      exhibit_id: exhibit.id,
      size_bytes: stored.sizeBytes,
      sha256: stored.sha256,
      proof: "whole",
      stored_at: clock.now().toISOString(),
      kept: null,
    });
  }
  await database.transaction().execute(async (trx) => {
    await trx
      .insertInto("stored_files")
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await trx
      .updateTable("exhibits")
      .set({ state: "sealed" })
      .where("id", "=", exhibit.id)
      .execute();
    await noteArrivals(trx, [exhibit.id]);
  });
}

/** The custody log up to the line that the receipt vouches for; what came after it, while repairing, is left out. */
async function linesAtSealing(database: Kysely<Tables>, exhibit: ExhibitRow): Promise<string[]> {
  const { seq } = await database
    .selectFrom("custody_events")
    .select("seq")
    .where("exhibit_id", "=", exhibit.id)
    .where("verb", "=", "sealed")
    .executeTakeFirstOrThrow();
  return custodyLines(database, exhibit.id, seq);
}

export function unfinished(key: string): ExhibitError {
  return new ExhibitError("conflict.unfinished", `An upload of ${key} is unfinished.`, {
    hint: "Finish it or abort it, then run the same upload command again. Nothing was sealed.",
  });
}

export function sealedOtherwise(): ExhibitError {
  return new ExhibitError("conflict.sealed", "This exhibit was sealed with another record.", {
    hint: "A sealed exhibit never changes. Upload a correction as a new exhibit that names this one.",
  });
}
