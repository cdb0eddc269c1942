import type { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import { thumbprintOf } from "../../evidence/seal.ts";
import { identityOfKey, type enrolKeySchema } from "../../protocol/accounts.ts";
import type { IdentityRow } from "../database/account-tables.ts";
import type { ServerDeps } from "../deps.ts";
import { endIdentity, findIdentityRow, identityOfRow } from "./identities.ts";

/**
 * Enrols a key that was made elsewhere, by its public half; repeating it gives the same identity.
 *
 * @throws ExhibitError `conflict.exists` for a key that is somebody's, or was
 */
export async function enrolKey(
  { database, clock }: Pick<ServerDeps, "database" | "clock">,
  { key, role, organisation, quotaBytes }: z.output<typeof enrolKeySchema>,
): Promise<Identity> {
  const thumbprint = await thumbprintOf(key);
  const row: IdentityRow = {
    id: identityOfKey(thumbprint),
    role,
    organisation,
    enrolled_by: "key",
    key_jwk: JSON.stringify(key),
    key_thumbprint: thumbprint,
    invitation_id: null,
    provider_sha256: null,
    provider_subject: null,
    enrolled_at: clock.now().toISOString(),
    last_seen_at: null,
    revoked_at: null,
    quota_bytes: quotaBytes ?? null,
    used_bytes: 0,
  };
  return database.transaction().execute(async (trx) => {
    const before = await findIdentityRow(trx, row.id);
    const isSame =
      before?.revoked_at === null && before.role === role && before.organisation === organisation;
    if (isSame) return identityOfRow(before);
    const machine = await trx
      .selectFrom("identity_keys")
      .select("thumbprint")
      .where("thumbprint", "=", thumbprint)
      .executeTakeFirst();
    const enrolled = await trx
      .selectFrom("identities")
      .select("id")
      .where("key_thumbprint", "=", thumbprint)
      .executeTakeFirst();
    if (machine !== undefined || enrolled !== undefined) {
      throw new ExhibitError("conflict.exists", "This key is somebody's already, or was once.", {
        hint: "Make a new one on that machine: exhibit key create FILE.",
      });
    }
    await trx.insertInto("identities").values(row).execute();
    return identityOfRow(row);
  });
}

/** Ends the identity of a key that an admin enrolled, by its own wish. @throws ExhibitError `policy.not-permitted` for others */
export async function leaveWithKey(
  { database, clock }: Pick<ServerDeps, "database" | "clock">,
  caller: Identity,
): Promise<void> {
  if (caller.enrolledBy === "key") return endIdentity(database, caller.id, clock.now());
  throw new ExhibitError("policy.not-permitted", "Only a key that an admin enrolled leaves so.", {
    hint: "Run exhibit logout, which knows the right way.",
  });
}
