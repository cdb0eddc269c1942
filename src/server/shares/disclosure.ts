import type { ShareDesk } from "./share-desk.ts";
import { appendCustody } from "../custody/custody.ts";
import { writeAccess, type Visitor } from "./access-log.ts";
import type { StoredShare } from "./share-rows.ts";

/**
 * Notes that a recipient sees an exhibit. A link that nobody opened discloses nothing, so the custody log has
 * `disclosed` when something of the exhibit first goes out, and `consulted` once a session; the recipient
 * stands there as the share's id (Data Protection Act 2018 section 62 asks who, when and why: the share says who and why).
 */
export async function noteDisclosure(
  { deps: { database, clock } }: ShareDesk,
  share: StoredShare,
  session: string,
  exhibit: string,
  from: Visitor,
): Promise<void> {
  const seen = await database
    .selectFrom("share_accesses")
    .select("seq")
    .where("share_id", "=", share.id)
    .where("kind", "=", "exhibit-viewed")
    .where("session_id", "=", session)
    .where("exhibit_id", "=", exhibit)
    .executeTakeFirst();
  if (seen !== undefined) return;
  await database.transaction().execute(async (trx) => {
    const access = { share: share.id, kind: "exhibit-viewed", from, session, exhibit } as const;
    if (!(await writeAccess(trx, clock, access))) return;
    const { numUpdatedRows } = await trx
      .updateTable("share_exhibits")
      .set({ disclosed_at: clock.now().toISOString() })
      .where("share_id", "=", share.id)
      .where("exhibit_id", "=", exhibit)
      .where("disclosed_at", "is", null)
      .executeTakeFirst();
    const facts = { share: share.id, access: share.access, session };
    if (numUpdatedRows > 0n) await appendCustody(trx, clock, exhibit, "disclosed", share.id, facts);
    await appendCustody(trx, clock, exhibit, "consulted", share.id, facts);
  });
}
