import { ExhibitError } from "../../evidence/errors.ts";
import type { DeclaredBody } from "../content/receive-body.ts";
import type { UploadRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import { expiryOf } from "./begin-upload.ts";
import { inContent } from "./upload-rows.ts";

/**
 * Refuses, before its body is read, what cannot be a part of this upload.
 *
 * @throws ExhibitError `conflict.upload-closed`, `usage.invalid`
 */
export function assertPartFits(
  row: UploadRow,
  offset: number,
  { length }: Pick<DeclaredBody, "length">,
): void {
  if (row.state === "done") {
    throw new ExhibitError("conflict.upload-closed", "This upload is finished.", {
      hint: "Nothing more needs to be sent.",
    });
  }
  if (length === 0 || length > row.part_bytes || offset + length > row.size_bytes) {
    throw new ExhibitError("usage.invalid", "This is not one of the upload's parts.", {
      hint: `A part lies within the file and has ${row.part_bytes} bytes at most.`,
      facts: { offset, length, sizeBytes: row.size_bytes },
    });
  }
}

/** Stores a part that was received; durable when it returns. Hearing from an upload keeps it from expiring. */
export async function storePart(
  deps: Pick<ServerDeps, "database" | "content" | "clock" | "settings">,
  row: UploadRow,
  part: { readonly offset: number; readonly bytes: Buffer; readonly sha256: string },
): Promise<void> {
  const { offset, bytes, sha256 } = part;
  // Not to be stopped any more: what has arrived is kept.
  const { signal } = new AbortController();
  const length = bytes.byteLength;
  await deps.content.putPart(inContent(row), { offset, length, bytes, sha256 }, signal);
  await keepAlive(deps, row);
}

/** Written down only now and then: once a tenth of its time has gone by. */
export async function keepAlive(
  deps: Pick<ServerDeps, "database" | "clock" | "settings">,
  row: UploadRow,
): Promise<void> {
  const leftMs = Date.parse(row.expires_at) - deps.clock.now().getTime();
  if (leftMs > deps.settings.expireUploadsMs * 0.9) return;
  await deps.database
    .updateTable("uploads")
    .set({ expires_at: expiryOf(deps) })
    .where("id", "=", row.id)
    .execute();
}
