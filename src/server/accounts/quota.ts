import { sql, type Kysely } from "kysely";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Tables } from "../database/tables.ts";
import { findIdentity } from "./identities.ts";

/**
 * Charges `bytes` to an identity's quota, or refuses and charges nothing; one statement, so that two uploads at
 * once cannot both take what is left for one.
 *
 * @throws ExhibitError `policy.quota`
 */
export async function chargeQuota(
  trx: Kysely<Tables>,
  identityId: string,
  bytes: number,
): Promise<void> {
  const charged = await trx
    .updateTable("identities")
    .set({ used_bytes: sql<number>`used_bytes + ${bytes}` })
    .where("id", "=", identityId)
    .where((is) =>
      is.or([
        is("quota_bytes", "is", null),
        is(sql<number>`used_bytes + ${bytes}`, "<=", is.ref("quota_bytes")),
      ]),
    )
    .executeTakeFirst();
  if (charged.numUpdatedRows > 0n) return;
  const identity = await findIdentity(trx, identityId);
  const quotaBytes = identity?.quotaBytes ?? 0;
  const usedBytes = identity?.usedBytes ?? 0;
  throw new ExhibitError(
    "policy.quota",
    `This needs ${bytes} bytes; ${Math.max(0, quotaBytes - usedBytes)} of your ${quotaBytes} are left.`,
    {
      hint: "Ask the server's administrator for a new invitation with a larger quota.",
      facts: { bytes, quotaBytes, usedBytes },
    },
  );
}

/** Gives back what an upload that was never finished had been charged. */
export async function refundQuota(
  trx: Kysely<Tables>,
  identityId: string,
  bytes: number,
): Promise<void> {
  await trx
    .updateTable("identities")
    .set({ used_bytes: sql<number>`max(0, used_bytes - ${bytes})` })
    .where("id", "=", identityId)
    .execute();
}
