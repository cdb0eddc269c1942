import { releaseUnused } from "../content/reservation.ts";
import { appendCustody } from "../custody/custody.ts";
import type { UploadRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import { inContent } from "./upload-rows.ts";

/**
 * Forgets an unfinished upload and frees its space; `actor` is who wanted it. When nothing else of the exhibit is on its
 * way, what was reserved for it beyond what it holds goes back to the quota: sending it again reserves it again.
 */
export async function abortUpload(
  deps: Pick<ServerDeps, "database" | "content" | "clock">,
  row: UploadRow,
  actor: string,
  signal: AbortSignal,
): Promise<void> {
  await deps.content.abort(inContent(row), signal);
  await deps.database.transaction().execute(async (trx) => {
    const { numDeletedRows } = await trx
      .deleteFrom("uploads")
      .where("id", "=", row.id)
      .where("state", "!=", "done")
      .executeTakeFirst();
    if (numDeletedRows === 0n) return;
    await appendCustody(trx, deps.clock, row.exhibit_id, "upload-aborted", actor, { key: row.key });
    await releaseUnused(trx, row.exhibit_id);
  });
}
