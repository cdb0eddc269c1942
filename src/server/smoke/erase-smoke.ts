import type { Kysely } from "kysely";
import { smokeCase } from "../../evidence/case.ts";
import { smokeFolder } from "../../evidence/smoke.ts";
import { refundQuota } from "../accounts/quota.ts";
import type { ExhibitRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ShareDesk } from "../shares/share-desk.ts";
import { inContent } from "../uploads/upload-rows.ts";

/** Synthetic material that is there, by its exhibit's id: marked as such, and in the case that no evidence can be in. */
export async function findSmoke(
  database: Kysely<Tables>,
  id: string,
): Promise<ExhibitRow | undefined> {
  return database
    .selectFrom("exhibits")
    .innerJoin("smokes", "smokes.exhibit_id", "exhibits.id")
    .selectAll("exhibits")
    .where("exhibits.id", "=", id)
    .where("case_ref", "=", smokeCase)
    .executeTakeFirst();
}

/**
 * Erases synthetic material: its shares are cut first, then its content goes, then all rows about it, in one transaction with
 * the note of who erased it. A crash in between is repaired by erasing again.
 *
 * @throws ExhibitError `unavailable.*`
 */
export async function eraseSmoke(
  desk: ShareDesk,
  { id, reference, submitter, total_bytes }: ExhibitRow,
  actor: string,
  signal: AbortSignal,
): Promise<void> {
  const { database, content, smokeEraser, clock } = desk.deps;
  const shares = await cutShares(desk, id);
  const unfinished = await database
    .selectFrom("uploads")
    .selectAll()
    .where("exhibit_id", "=", id)
    .where("state", "!=", "done")
    .execute();
  for (const upload of unfinished) await content.abort(inContent(upload), signal);
  const keys: string[] = [];
  for await (const { key } of content.list(smokeFolder({ reference }), signal)) keys.push(key);
  for (const key of keys) await smokeEraser.erase(key, signal);
  // What was noted of its shares is on its way no more once this has settled.
  await desk.late.settled();
  await database.transaction().execute(async (trx) => {
    for (const share of shares) {
      await trx.deleteFrom("share_mails").where("share_id", "=", share).execute();
      await trx.deleteFrom("share_notes").where("share_id", "=", share).execute();
      await trx.deleteFrom("share_accesses").where("share_id", "=", share).execute();
      await trx.deleteFrom("share_sessions").where("share_id", "=", share).execute();
      await trx.deleteFrom("share_exhibits").where("share_id", "=", share).execute();
      await trx.deleteFrom("shares").where("id", "=", share).execute();
    }
    for (const table of ["uploads", "stored_files", "custody_events"] as const) {
      await trx.deleteFrom(table).where("exhibit_id", "=", id).execute();
    }
    const { numDeletedRows } = await trx
      .deleteFrom("exhibits")
      .where("id", "=", id)
      .where("case_ref", "=", smokeCase)
      .executeTakeFirst();
    // Another request has erased it meanwhile, and given back what it had been charged.
    if (numDeletedRows === 0n) return;
    await refundQuota(trx, submitter, total_bytes);
    await trx
      .updateTable("smokes")
      .set({ erased_at: clock.now().toISOString(), erased_by: actor })
      .where("exhibit_id", "=", id)
      .execute();
  });
}

/** Ends the shares of an exhibit, so that nothing more is served or noted of them. A share of synthetic material holds nothing else. */
async function cutShares(desk: ShareDesk, exhibit: string): Promise<string[]> {
  const { database, clock } = desk.deps;
  const rows = await database
    .selectFrom("share_exhibits")
    .select("share_id")
    .where("exhibit_id", "=", exhibit)
    .execute();
  for (const { share_id } of rows) {
    await database
      .updateTable("shares")
      .set({ revoked_at: clock.now().toISOString() })
      .where("id", "=", share_id)
      .where("revoked_at", "is", null)
      .execute();
    desk.live.cut(share_id);
    await desk.renditions.forget(share_id);
  }
  return rows.map(({ share_id }) => share_id);
}
