import type { Kysely } from "kysely";
import type { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import { parseKey } from "../../evidence/key.ts";
import type { Stored } from "../../evidence/ports/store.ts";
import { referenceSegment } from "../../evidence/reference.ts";
import type { storedSchema } from "../../protocol/content.ts";
import { chargeQuota } from "../accounts/quota.ts";
import { appendCustody, serverActor } from "../custody/custody.ts";
import type { ExhibitRow, StoredFileRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ServerDeps } from "../deps.ts";
import { exhibitOfKey, unknownExhibit } from "../exhibits/visible-exhibits.ts";

/** As many files as a record can hold. */
const mostFiles = 10_000;

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
  if (parseKey(key)?.name.startsWith(`${referenceSegment(exhibit.reference)}-`) !== true) {
    throw new ExhibitError("usage.invalid", "This key is not one of the exhibit's files.", {
      hint: "Record, receipt and custody log are written by the server itself.",
    });
  }
  if (exhibit.state === "open") return exhibit;
  throw sealed();
}

/**
 * Makes room in the exhibit's reservation for one more file: what all its files, stored or on their way, need beyond what
 * was reserved is charged to the submitter's quota.
 *
 * @throws ExhibitError `policy.quota`, `policy.too-large`
 */
export async function reserveFor(
  trx: Kysely<Tables>,
  exhibitId: string,
  key: string,
  sizeBytes: number,
): Promise<void> {
  const sizes = new Map<string, number>();
  const uploads = await trx
    .selectFrom("uploads")
    .select(["key", "size_bytes"])
    .where("exhibit_id", "=", exhibitId)
    .where("state", "!=", "done")
    .execute();
  const stored = await trx
    .selectFrom("stored_files")
    .select(["key", "size_bytes"])
    .where("exhibit_id", "=", exhibitId)
    .execute();
  for (const row of [...uploads, ...stored]) sizes.set(row.key, row.size_bytes);
  sizes.set(key, sizeBytes);
  if (sizes.size > mostFiles) {
    throw new ExhibitError("policy.too-large", `An exhibit has ${mostFiles} files at most.`, {
      hint: "Send the rest as another exhibit.",
    });
  }
  const neededBytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const exhibit = await trx
    .selectFrom("exhibits")
    .select(["submitter", "total_bytes"])
    .where("id", "=", exhibitId)
    .executeTakeFirstOrThrow();
  if (neededBytes <= exhibit.total_bytes) return;
  await chargeQuota(trx, exhibit.submitter, neededBytes - exhibit.total_bytes);
  await trx
    .updateTable("exhibits")
    .set({ total_bytes: neededBytes })
    .where("id", "=", exhibitId)
    .execute();
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
  const exhibit = await trx
    .selectFrom("exhibits")
    .select("state")
    .where("id", "=", from.exhibitId)
    .executeTakeFirstOrThrow();
  if (exhibit.state !== "open") throw sealed();
  await reserveFor(trx, from.exhibitId, stored.key, stored.sizeBytes);
  const row: StoredFileRow = {
    key: stored.key,
    exhibit_id: from.exhibitId,
    size_bytes: stored.sizeBytes,
    sha256: stored.sha256,
    proof: "whole",
    stored_at: clock.now().toISOString(),
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

function sealed(): ExhibitError {
  return new ExhibitError("conflict.sealed", "This exhibit is sealed: it takes no more content.", {
    hint: "Upload what is missing as a new exhibit.",
  });
}
