import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { Share } from "../../evidence/share.ts";
import { findIdentity } from "../accounts/identities.ts";
import { appendCustody } from "../custody/custody.ts";
import type { ShareDesk } from "./share-desk.ts";
import { describeShare, ownShare } from "./share-rows.ts";

/**
 * Hands a share to another officer: from then on it is theirs to see, to change and to revoke. Link, code and end stay; the custody
 * log of each exhibit in it says who had it and who has it. Repeating it succeeds.
 *
 * @throws ExhibitError `not-found.share`, `not-found.identity`; `usage.invalid` for somebody who may not share
 */
export async function reassignShare(
  { deps: { database, clock } }: ShareDesk,
  caller: Identity,
  id: string,
  to: string,
): Promise<Share> {
  const row = await ownShare(database, caller, id);
  const heir = await findIdentity(database, to);
  if (heir === undefined) {
    throw new ExhibitError("not-found.identity", `There is no identity ${to}.`, {
      hint: "List them with exhibit identity report.",
    });
  }
  if (heir.revokedAt !== undefined || heir.role === "partner") {
    throw new ExhibitError("usage.invalid", "This identity may not have shares.", {
      hint: "Name an officer or administrator who has access: exhibit identity report.",
    });
  }
  if (row.created_by !== heir.id) {
    await database.transaction().execute(async (trx) => {
      await trx
        .updateTable("shares")
        .set({ created_by: heir.id })
        .where("id", "=", row.id)
        .execute();
      const shared = await trx
        .selectFrom("share_exhibits")
        .select("exhibit_id")
        .where("share_id", "=", row.id)
        .execute();
      const facts = { share: row.id, reassignedFrom: row.created_by, reassignedTo: heir.id };
      for (const { exhibit_id } of shared) {
        await appendCustody(trx, clock, exhibit_id, "share-updated", caller.id, facts);
      }
    });
  }
  return describeShare(database, await ownShare(database, caller, row.id), clock.now());
}
