import type { Kysely } from "kysely";
import type { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import { parseKey } from "../../evidence/key.ts";
import type { Stored } from "../../evidence/ports/store.ts";
import { referenceSegment } from "../../evidence/reference.ts";
import type { storedSchema } from "../../protocol/content.ts";
import { appendCustody, serverActor } from "../custody/custody.ts";
import type { ExhibitRow, StoredFileRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ServerDeps } from "../deps.ts";
import { exhibitOfKey, unknownExhibit } from "../exhibits/visible-exhibits.ts";
import { reserveFor, sealed } from "./reservation.ts";

export async function findStored(
  database: Kysely<Tables>,
  key: string,
): Promise<StoredFileRow | undefined> {
  return database.selectFrom("stored_files").selectAll().where("key", "=", key).executeTakeFirst();
}

/** What the server says of a file it holds. It is the far end and has recomputed the digest: `whole`. */
export function storedOf(row: StoredFileRow): z.input<typeof storedSchema> {
  return { key: row.key, sizeBytes: row.size_bytes, sha256: row.sha256, proof: row.proof };
}

/**
 * The caller's own exhibit that content may come into under this key.
 *
 * @throws ExhibitError `not-found.exhibit` (another's looks like none), `conflict.sealed`, `usage.invalid` for the name
 * of a document, which only the server writes
 */
export async function receivingExhibit(
  database: Kysely<Tables>,
  caller: Identity,
  key: string,
): Promise<ExhibitRow> {
  const exhibit = await exhibitOfKey(database, caller, key).catch((error: unknown) => {
    if (error instanceof ExhibitError && error.code === "not-found.content") throw unknownExhibit();
    throw error;
  });
  if (exhibit.submitter !== caller.id) throw unknownExhibit();
  assertFileOf(exhibit, key);
  if (exhibit.state === "open") return exhibit;
  throw sealed();
}

/** @throws ExhibitError `usage.invalid` for a key that can hold none of the exhibit's own files */
export function assertFileOf(exhibit: Pick<ExhibitRow, "reference">, key: string): void {
  if (parseKey(key)?.name.startsWith(`${referenceSegment(exhibit.reference)}-`) === true) return;
  throw new ExhibitError("usage.invalid", "This key is not one of the exhibit's files.", {
    hint: "Record, receipt and custody log are written by the server itself.",
  });
}

/**
 * Notes a file whose bytes the content store holds and has proved, with its custody events; once.
 *
 * @throws ExhibitError `conflict.sealed`, `policy.quota`
 */
export async function noteStored(
  trx: Kysely<Tables>,
  { clock }: Pick<ServerDeps, "clock">,
  stored: Stored,
  from: { readonly exhibitId: string; readonly owner: string },
): Promise<StoredFileRow> {
  const before = await findStored(trx, stored.key);
  if (before !== undefined) return before;
  await reserveFor(trx, from.exhibitId, stored.key, stored.sizeBytes);
  const row: StoredFileRow = {
    key: stored.key,
    exhibit_id: from.exhibitId,
    size_bytes: stored.sizeBytes,
    sha256: stored.sha256,
    proof: "whole",
    stored_at: clock.now().toISOString(),
    kept: stored.kept === undefined ? null : JSON.stringify(stored.kept),
  };
  await trx.insertInto("stored_files").values(row).execute();
  await appendCustody(trx, clock, from.exhibitId, "received", from.owner, {
    key: row.key,
    sizeBytes: row.size_bytes,
  });
  await appendCustody(trx, clock, from.exhibitId, "proved", serverActor, {
    key: row.key,
    sha256: row.sha256,
    proof: row.proof,
  });
  return row;
}
