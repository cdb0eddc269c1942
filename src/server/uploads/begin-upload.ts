import type { Kysely } from "kysely";
import type { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { Upload } from "../../evidence/ports/store.ts";
import { randomId } from "../../evidence/random-id.ts";
import type { beginSchema } from "../../protocol/uploads.ts";
import { assertOneSize, reserveFor } from "../content/reservation.ts";
import { findStored, receivingExhibit } from "../content/stored-files.ts";
import { appendCustody } from "../custody/custody.ts";
import type { ExhibitRow, UploadRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ServerDeps } from "../deps.ts";

type BeginDeps = Pick<ServerDeps, "database" | "content" | "clock" | "settings">;

/**
 * Begins an upload into the caller's open exhibit, or finds the unfinished one of the same key and size.
 *
 * @throws ExhibitError `not-found.exhibit`, `conflict.exists`, `conflict.sealed`, `conflict.unfinished` with another size,
 * `policy.quota`, `policy.too-large`, `unavailable.no-space`, `usage.invalid`
 */
export async function beginUpload(
  deps: BeginDeps,
  caller: Identity,
  wanted: z.output<typeof beginSchema>,
  signal: AbortSignal,
): Promise<{ row: UploadRow; made: boolean }> {
  const { database, content } = deps;
  const { key, sizeBytes, partBytes } = wanted;
  const exhibit = await receivingExhibit(database, caller, key);
  if ((await findStored(database, key)) !== undefined) throw taken(key);
  if (sizeBytes > content.capabilities.maxObjectBytes) throw tooLarge(content.capabilities);
  const upload = await content.begin(key, sizeBytes, partBytes, signal);
  try {
    return await database
      .transaction()
      .execute(
        async (trx) => (await found(trx, deps, upload)) ?? (await made(trx, deps, exhibit, upload)),
      );
  } catch (error) {
    if (!(await isKnown(database, upload))) await content.abort(upload, signal);
    throw error;
  }
}

/** Whether an upload was taken on; of one that was not, nothing is charged and nothing may stay. */
async function isKnown(database: Kysely<Tables>, upload: Upload): Promise<boolean> {
  const row = await database
    .selectFrom("uploads")
    .select("id")
    .where("content_id", "=", upload.id)
    .executeTakeFirst();
  return row !== undefined;
}

async function found(
  trx: Kysely<Tables>,
  deps: BeginDeps,
  upload: Upload,
): Promise<{ row: UploadRow; made: boolean } | undefined> {
  const row = await trx
    .selectFrom("uploads")
    .selectAll()
    .where("content_id", "=", upload.id)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const soonest = firstExpiryOf(deps);
  const expiresAt = row.expires_at > soonest ? row.expires_at : soonest;
  await trx
    .updateTable("uploads")
    .set({ expires_at: expiresAt })
    .where("id", "=", row.id)
    .execute();
  return { row: { ...row, expires_at: expiresAt }, made: false };
}

async function made(
  trx: Kysely<Tables>,
  deps: BeginDeps,
  exhibit: ExhibitRow,
  upload: Upload,
): Promise<{ row: UploadRow; made: boolean }> {
  const row: UploadRow = {
    id: randomId("u"),
    exhibit_id: exhibit.id,
    owner: exhibit.submitter,
    key: upload.key,
    size_bytes: upload.sizeBytes,
    part_bytes: upload.partBytes,
    content_id: upload.id,
    state: "receiving",
    sha256: null,
    started_at: deps.clock.now().toISOString(),
    expires_at: firstExpiryOf(deps),
  };
  // A row of this key and size that the content store no longer knows is of an upload that is gone.
  await trx
    .deleteFrom("uploads")
    .where("exhibit_id", "=", row.exhibit_id)
    .where("key", "=", row.key)
    .where("size_bytes", "=", row.size_bytes)
    .where("state", "!=", "done")
    .execute();
  await assertOneSize(trx, exhibit.id, row.key, row.size_bytes);
  await reserveFor(trx, exhibit.id, row.key, row.size_bytes);
  await trx.insertInto("uploads").values(row).execute();
  await appendCustody(trx, deps.clock, exhibit.id, "upload-started", row.owner, {
    key: row.key,
    sizeBytes: row.size_bytes,
  });
  return { row, made: true };
}

/** How long an upload of which nothing has come keeps its place on the disk from others. */
const unstartedMs = 6 * 60 * 60 * 1000;

/** When an upload that is begun now will be forgotten, if no part of it comes. */
function firstExpiryOf({ clock, settings }: Pick<ServerDeps, "clock" | "settings">): string {
  const ms = Math.min(unstartedMs, settings.expireUploadsMs);
  return new Date(clock.now().getTime() + ms).toISOString();
}

/** When an upload of which a part comes now will be forgotten, if nothing is heard of it again. */
export function expiryOf({ clock, settings }: Pick<ServerDeps, "clock" | "settings">): string {
  return new Date(clock.now().getTime() + settings.expireUploadsMs).toISOString();
}

function taken(key: string): ExhibitError {
  return new ExhibitError("conflict.exists", `The store already holds ${key}.`, {
    hint: "Nothing was overwritten. If the content should be another, use another reference.",
  });
}

function tooLarge({ maxObjectBytes }: { maxObjectBytes: number }): ExhibitError {
  return new ExhibitError("policy.too-large", "This file is too large for the store.", {
    facts: { maxObjectBytes },
  });
}
