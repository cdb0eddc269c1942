import type { Kysely, Selectable } from "kysely";
import { smokeCase } from "../../evidence/case.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { Delivery, Share } from "../../evidence/share.ts";
import type { ShareRow } from "../database/share-tables.ts";
import type { Tables } from "../database/tables.ts";

export type StoredShare = Selectable<ShareRow>;

/** Why a share no longer opens. */
export type EndReason = "revoked" | "expired";

/** Why a share no longer opens at `now`, or undefined while it does. */
export function endOf(
  share: Pick<StoredShare, "revoked_at" | "expires_at">,
  now: Date,
): EndReason | undefined {
  if (share.revoked_at !== null) return "revoked";
  return share.expires_at <= now.toISOString() ? "expired" : undefined;
}

/**
 * A share that `caller` may see: an officer's own, any for an admin. Another's looks like none.
 *
 * @throws ExhibitError `not-found.share`
 */
export async function ownShare(
  database: Kysely<Tables>,
  caller: Identity,
  id: string,
): Promise<StoredShare> {
  const row = await database
    .selectFrom("shares")
    .selectAll()
    .where("id", "=", id.toUpperCase())
    .$if(caller.role !== "admin", (query) => query.where("created_by", "=", caller.id))
    .executeTakeFirst();
  if (row !== undefined) return row;
  throw new ExhibitError("not-found.share", "There is no such share among yours.", {
    hint: "List them with exhibit share list.",
  });
}

/**
 * The shares that `caller` may see, or those of one identity among them, newest first; those of synthetic material are left
 * out.
 */
export async function ownShares(
  database: Kysely<Tables>,
  caller: Identity,
  of?: string,
): Promise<StoredShare[]> {
  return database
    .selectFrom("shares")
    .selectAll()
    .$if(of !== undefined, (query) => query.where("created_by", "=", of ?? ""))
    .where("id", "not in", (synthetic) =>
      synthetic
        .selectFrom("share_exhibits")
        .innerJoin("exhibits", "exhibits.id", "exhibit_id")
        .select("share_id")
        .where("case_ref", "=", smokeCase),
    )
    .$if(caller.role !== "admin", (query) => query.where("created_by", "=", caller.id))
    .orderBy("created_at", "desc")
    .orderBy("id")
    .execute();
}

/** The share whose link carries this token. */
export async function shareOfToken(
  database: Kysely<Tables>,
  tokenSha256: string,
): Promise<StoredShare | undefined> {
  return database
    .selectFrom("shares")
    .selectAll()
    .where("token_sha256", "=", tokenSha256)
    .executeTakeFirst();
}

/** A share as its creator sees it. */
export async function describeShare(
  database: Kysely<Tables>,
  row: StoredShare,
  now: Date,
): Promise<Share> {
  const exhibits = await database
    .selectFrom("share_exhibits")
    .innerJoin("exhibits", "exhibits.id", "share_exhibits.exhibit_id")
    .select(["exhibits.id", "exhibits.case_ref", "exhibits.reference"])
    .select("share_exhibits.revoked_at")
    .where("share_id", "=", row.id)
    .orderBy("position")
    .execute();
  const delivery = row.by_mail === 0 ? undefined : await deliveryOf(database, row.id);
  return {
    id: row.id,
    recipient: { name: row.recipient_name, email: row.recipient_email },
    access: row.access,
    ...(row.purpose === null ? {} : { purpose: row.purpose }),
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
    exhibits: exhibits.map((exhibit) => ({
      id: exhibit.id,
      case: exhibit.case_ref,
      reference: exhibit.reference,
      ...(exhibit.revoked_at === null ? {} : { revokedAt: exhibit.revoked_at }),
    })),
    state: endOf(row, now) ?? "open",
    ...(delivery === undefined ? {} : { delivery }),
  };
}

/** What became of the newest mail with a share's link; undefined when it was not worth sending any more. */
async function deliveryOf(database: Kysely<Tables>, share: string): Promise<Delivery | undefined> {
  const mail = await database
    .selectFrom("share_mails")
    .select(["state", "reply", "tried_at", "give_up_at"])
    .where("share_id", "=", share)
    .where("kind", "=", "link")
    .orderBy("made_at", "desc")
    .limit(1)
    .executeTakeFirst();
  if (mail === undefined || mail.state === "dropped") return undefined;
  return {
    state: mail.state,
    ...(mail.tried_at === null ? {} : { at: mail.tried_at }),
    ...(mail.reply === null ? {} : { reply: mail.reply }),
    ...(mail.state === "waiting" ? { until: mail.give_up_at } : {}),
  };
}

/** True while a session stands in which its recipient may see an exhibit at `now`. */
export async function isShared(
  database: Kysely<Tables>,
  session: string,
  exhibit: string,
  now: Date,
): Promise<boolean> {
  const row = await database
    .selectFrom("share_exhibits")
    .innerJoin("shares", "shares.id", "share_exhibits.share_id")
    .innerJoin("share_sessions", "share_sessions.share_id", "share_exhibits.share_id")
    .select("share_exhibits.share_id")
    .where("share_sessions.id", "=", session)
    .where("share_sessions.ends_at", ">", now.toISOString())
    .where("exhibit_id", "=", exhibit)
    .where("share_exhibits.revoked_at", "is", null)
    .where("shares.revoked_at", "is", null)
    .where("expires_at", ">", now.toISOString())
    .executeTakeFirst();
  return row !== undefined;
}
