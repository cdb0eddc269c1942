import type { Kysely } from "kysely";
import { refundQuota } from "../accounts/quota.ts";
import { appendCustody } from "../custody/custody.ts";
import type { UploadRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
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
    await giveBack(trx, row.exhibit_id);
  });
}

async function giveBack(trx: Kysely<Tables>, exhibitId: string): Promise<void> {
  const exhibit = await trx
    .selectFrom("exhibits")
    .selectAll()
    .where("id", "=", exhibitId)
    .executeTakeFirstOrThrow();
  const unfinished = await trx
    .selectFrom("uploads")
    .select("id")
    .where("exhibit_id", "=", exhibitId)
    .where("state", "!=", "done")
    .executeTakeFirst();
  if (exhibit.state !== "open" || unfinished !== undefined) return;
  const { heldBytes } = await trx
    .selectFrom("stored_files")
    .select((is) => is.fn.coalesce(is.fn.sum<number>("size_bytes"), is.lit(0)).as("heldBytes"))
    .where("exhibit_id", "=", exhibitId)
    .executeTakeFirstOrThrow();
  await refundQuota(trx, exhibit.submitter, exhibit.total_bytes - heldBytes);
  await trx
    .updateTable("exhibits")
    .set({ total_bytes: heldBytes })
    .where("id", "=", exhibitId)
    .execute();
}
