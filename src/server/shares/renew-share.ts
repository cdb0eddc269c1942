import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { NewShare } from "../../evidence/ports/sharing.ts";
import { appendCustody } from "../custody/custody.ts";
import { dropMails } from "../mail/outbox.ts";
import { writeAccess } from "./access-log.ts";
import { warningsOf } from "./create-share.ts";
import { newHandOver, queueLink, tryAtOnce } from "./hand-over.ts";
import { logCuts } from "./revoke-share.ts";
import type { ShareDesk } from "./share-desk.ts";
import { describeShare, endOf, ownShare } from "./share-rows.ts";

/**
 * Gives a share a new link and code: same recipient, end and log, and handed over as before unless `mail` says how. In this order: the database, durably, so that the old
 * link opens nothing; what is being sent through it; its open pages.
 *
 * @throws ExhibitError `not-found.share`, `conflict.share-ended`
 */
export async function renewShare(
  desk: ShareDesk,
  caller: Identity,
  id: string,
  mail: boolean | undefined,
): Promise<NewShare> {
  const { database, clock, settings } = desk.deps;
  const { id: share, by_mail } = await ownShare(database, caller, id);
  const { kept, link, code } = await newHandOver(desk, mail ?? by_mail === 1);
  const queued = await database.transaction().execute(async (trx) => {
    const now = clock.now();
    const row = await ownShare(trx, caller, share);
    const end = endOf(row, now);
    if (end !== undefined) throw ended(end);
    const renewed = {
      ...kept,
      mailed_code_salt: null,
      mailed_code_scrypt: null,
      mailed_code_until: null,
    };
    await trx.updateTable("shares").set(renewed).where("id", "=", share).execute();
    await trx
      .updateTable("share_sessions")
      .set({ ends_at: now.toISOString() })
      .where("share_id", "=", share)
      .where("ends_at", ">", now.toISOString())
      .execute();
    await dropMails(trx, share, ["link", "code"]);
    const open = await trx
      .selectFrom("share_exhibits")
      .select("exhibit_id")
      .where("share_id", "=", share)
      .where("revoked_at", "is", null)
      .execute();
    for (const { exhibit_id } of open) {
      await appendCustody(trx, clock, exhibit_id, "share-renewed", caller.id, { share });
    }
    await writeAccess(trx, clock, {
      share,
      kind: "share-renewed",
      from: { address: "", agent: "" },
    });
    return queueLink(desk, trx, { ...row, ...renewed }, link);
  });

  const streams = desk.live.cut(share);
  await logCuts(desk, share, streams);
  await tryAtOnce(desk, queued);
  const row = await ownShare(database, caller, share);
  return {
    share: await describeShare(database, row, clock.now()),
    link,
    code,
    warnings: warningsOf(settings.publicUrl, row.access),
  };
}

function ended(how: "revoked" | "expired"): ExhibitError {
  return new ExhibitError(
    "conflict.share-ended",
    `This share has ${how === "revoked" ? "been revoked" : "expired"}; it gets no new link.`,
    { hint: "Make a new share: exhibit share create." },
  );
}
