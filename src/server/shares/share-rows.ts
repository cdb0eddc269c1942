import type { Kysely, Selectable } from "kysely";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { Share } from "../../evidence/share.ts";
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

/** The shares that `caller` may see, or those of one identity among them, newest first. */
export async function ownShares(
  database: Kysely<Tables>,
  caller: Identity,
  of?: string,
): Promise<StoredShare[]> {
  return database
    .selectFrom("shares")
    .selectAll()
    .$if(of !== undefined, (query) => query.where("created_by", "=", of ?? ""))
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
  };
}

/** True while a share holds an exhibit that its recipient may see at `now`. */
export async function isShared(
  database: Kysely<Tables>,
  share: string,
  exhibit: string,
  now: Date,
): Promise<boolean> {
  const row = await database
    .selectFrom("share_exhibits")
    .innerJoin("shares", "shares.id", "share_exhibits.share_id")
    .select("share_id")
    .where("share_id", "=", share)
    .where("exhibit_id", "=", exhibit)
    .where("share_exhibits.revoked_at", "is", null)
    .where("shares.revoked_at", "is", null)
    .where("expires_at", ">", now.toISOString())
    .executeTakeFirst();
  return row !== undefined;
}
