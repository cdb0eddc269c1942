import type { Kysely } from "kysely";
import type { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { HashedPart, StoredPart, Upload } from "../../evidence/ports/store.ts";
import type { uploadStateSchema } from "../../protocol/uploads.ts";
import type { UploadRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";

/** An upload that the caller may act on: its own, any for an admin. Another's looks like none. */
export async function visibleUpload(
  database: Kysely<Tables>,
  caller: Identity,
  id: string,
): Promise<UploadRow> {
  const row = await database
    .selectFrom("uploads")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw unknownUpload();
  if (row.owner !== caller.id && caller.role !== "admin") throw unknownUpload();
  return row;
}

/** An upload that the caller may send to: its own. @throws ExhibitError `not-found.upload` */
export async function ownUpload(
  database: Kysely<Tables>,
  caller: Identity,
  id: string,
): Promise<UploadRow> {
  const row = await visibleUpload(database, caller, id);
  if (row.owner !== caller.id) throw unknownUpload();
  return row;
}

/** The upload as the content store knows it. */
export function inContent(row: UploadRow): Upload {
  return {
    id: row.content_id,
    key: row.key,
    sizeBytes: row.size_bytes,
    partBytes: row.part_bytes,
  };
}

/** An upload as clients see it. Where its parts go is said relative to the server's address. */
export function stateOf(
  row: UploadRow,
  parts: readonly StoredPart[],
  { withParts, directParts }: { readonly withParts: boolean; readonly directParts: boolean },
): z.input<typeof uploadStateSchema> {
  return {
    id: row.id,
    key: row.key,
    sizeBytes: row.size_bytes,
    partBytes: row.part_bytes,
    state: row.state === "receiving" ? "receiving" : "proving",
    startedAt: row.started_at,
    expiresAt: row.expires_at,
    receivedBytes: parts.reduce((sum, part) => sum + part.length, 0),
    part: {
      url: `v1/uploads/${row.id}/parts/{offset}`,
      method: "PUT",
      headers: { "content-type": "application/octet-stream" },
      expiresAt: row.expires_at,
    },
    ...(directParts ? { directParts } : {}),
    ...(withParts ? { parts: parts.flatMap(hashed) } : {}),
  };
}

/** Clients are told only of parts whose SHA-256 is known: the others they send again. */
function hashed({ offset, length, digest }: StoredPart): HashedPart[] {
  return digest.algorithm === "sha256" ? [{ offset, length, sha256: digest.hex }] : [];
}

export function unknownUpload(): ExhibitError {
  return new ExhibitError("not-found.upload", "There is no such upload (any more).", {
    hint: "It was finished, aborted, or it expired. Run the same upload command again.",
  });
}
