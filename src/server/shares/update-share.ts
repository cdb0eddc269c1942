import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import { checkShareEnd, type Share } from "../../evidence/share.ts";
import { appendCustody } from "../custody/custody.ts";
import type { ShareDesk } from "./share-desk.ts";
import { describeShare, endOf, ownShare } from "./share-rows.ts";

/**
 * Gives a share another end; link and code stay. Sessions that are open keep theirs, as far as the share does not end sooner.
 *
 * @throws ExhibitError `not-found.share`, `usage.invalid`, `conflict.share-ended`
 */
export async function updateShare(
  { deps: { database, clock } }: ShareDesk,
  caller: Identity,
  id: string,
  expiresAt: string,
): Promise<Share> {
  const row = await ownShare(database, caller, id);
  const now = clock.now();
  checkShareEnd(expiresAt, now);
  const ends = new Date(expiresAt).toISOString();
  await database.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable("shares")
      .set({ expires_at: ends })
      .where("id", "=", row.id)
      .where("revoked_at", "is", null)
      .where("expires_at", ">", now.toISOString())
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw ended(endOf(row, now) ?? "revoked");
    const shared = await trx
      .selectFrom("share_exhibits")
      .select("exhibit_id")
      .where("share_id", "=", row.id)
      .where("revoked_at", "is", null)
      .execute();
    const facts = { share: row.id, expiresAt: ends };
    for (const { exhibit_id } of shared) {
      await appendCustody(trx, clock, exhibit_id, "share-updated", caller.id, facts);
    }
  });
  return describeShare(database, await ownShare(database, caller, row.id), now);
}

function ended(how: "revoked" | "expired"): ExhibitError {
  return new ExhibitError(
    "conflict.share-ended",
    `This share has ${how === "revoked" ? "been revoked" : "expired"}.`,
    {
      hint: "Make a new share: exhibit share create.",
    },
  );
}
