import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { Revocation } from "../../evidence/ports/sharing.ts";
import type { Tables } from "../database/tables.ts";
import { appendCustody } from "../custody/custody.ts";
import { dropMails } from "../mail/outbox.ts";
import type { Transaction } from "kysely";
import { writeAccess } from "./access-log.ts";
import type { StreamName } from "./live-shares.ts";
import type { ShareDesk } from "./share-desk.ts";
import { describeShare, ownShare, type StoredShare } from "./share-rows.ts";

/** A server knows all that there is to know of it. */
type Told = { readonly [Name in keyof Revocation]: NonNullable<Revocation[Name]> };

/**
 * Cuts a share, or one exhibit out of it; when the last exhibit goes, the share goes. In this order: the database,
 * durably, so that nothing new is served; what is being sent and made; the open pages; the copies on disk.
 * Repeating it succeeds, and cuts again whatever should still be there.
 *
 * @throws ExhibitError `not-found.share`, `not-found.exhibit`
 */
export async function revokeShare(
  desk: ShareDesk,
  caller: Identity,
  id: string,
  exhibit: string | undefined,
): Promise<Told> {
  const { database, clock } = desk.deps;
  const row = await ownShare(database, caller, id);
  const outcome = await database.transaction().execute(async (trx) => {
    const open = await openExhibits(trx, row.id, exhibit);
    const sessionsCut = await openSessions(trx, row, clock.now());
    const at = clock.now().toISOString();
    for (const one of open) {
      await trx
        .updateTable("share_exhibits")
        .set({ revoked_at: at })
        .where("share_id", "=", row.id)
        .where("exhibit_id", "=", one)
        .execute();
      await appendCustody(trx, clock, one, "share-revoked", caller.id, { share: row.id });
    }
    const left = await openExhibits(trx, row.id, undefined);
    if (left.length === 0 && row.revoked_at === null) {
      await trx
        .updateTable("shares")
        .set({ revoked_at: at })
        .where("id", "=", row.id)
        .where("revoked_at", "is", null)
        .execute();
    }
    const whole = left.length === 0;
    if (whole) await dropMails(trx, row.id, ["link", "code"]);
    return { already: open.length === 0, whole, sessionsCut: whole ? sessionsCut : 0 };
  });

  const streams = desk.live.cut(row.id, outcome.whole ? undefined : exhibit);
  await desk.renditions.forget(row.id);
  await logCuts(desk, row.id, streams);
  const after = await ownShare(database, caller, row.id);
  return {
    share: await describeShare(database, after, clock.now()),
    already: outcome.already,
    sessionsCut: outcome.already ? 0 : outcome.sessionsCut,
    streamsCut: streams.length,
    originalsTaken: await originalsTaken(desk, row.id),
  };
}

/** How many different originals went out over a share. */
async function originalsTaken({ deps }: ShareDesk, share: string): Promise<number> {
  const rows = await deps.database
    .selectFrom("share_accesses")
    .select(["exhibit_id", "ordinal"])
    .distinct()
    .where("share_id", "=", share)
    .where("kind", "=", "original-downloaded")
    .execute();
  return rows.length;
}

/** The ids of a share's exhibits that are not revoked: of all, or of the one asked for. */
async function openExhibits(
  trx: Transaction<Tables>,
  share: string,
  exhibit: string | undefined,
): Promise<string[]> {
  const rows = await trx
    .selectFrom("share_exhibits")
    .select(["exhibit_id", "revoked_at"])
    .where("share_id", "=", share)
    .orderBy("position")
    .execute();
  const wanted = rows.filter((row) => exhibit === undefined || row.exhibit_id === exhibit);
  if (wanted.length === 0) {
    throw new ExhibitError("not-found.exhibit", "This share does not hold that exhibit.", {
      hint: "See what it holds with exhibit share show.",
      facts: { share },
    });
  }
  return wanted.filter((row) => row.revoked_at === null).map((row) => row.exhibit_id);
}

async function openSessions(
  trx: Transaction<Tables>,
  { id, revoked_at }: StoredShare,
  now: Date,
): Promise<number> {
  if (revoked_at !== null) return 0;
  const rows = await trx
    .selectFrom("share_sessions")
    .select("id")
    .where("share_id", "=", id)
    .where("ends_at", ">", now.toISOString())
    .execute();
  return rows.length;
}

/** Notes in the access log which streams were cut off. */
export async function logCuts(
  { deps: { database, clock } }: ShareDesk,
  share: string,
  streams: readonly StreamName[],
): Promise<void> {
  if (streams.length === 0) return;
  await database.transaction().execute(async (trx) => {
    for (const { session, exhibit, ordinal } of streams) {
      const { address, agent } = await trx
        .selectFrom("share_sessions")
        .select(["address", "agent"])
        .where("id", "=", session)
        .executeTakeFirstOrThrow();
      const from = { address, agent };
      await writeAccess(trx, clock, { share, kind: "stream-cut", from, session, exhibit, ordinal });
    }
  });
}
