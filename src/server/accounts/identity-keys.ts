import type { Kysely } from "kysely";
import type { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import { openSealed, publicJwkSchema, thumbprintOf, type PublicJwk } from "../../evidence/seal.ts";
import {
  keyProofSchema,
  keyProofType,
  mostKeys,
  proofToleranceSeconds,
  type newKeySchema,
} from "../../protocol/keys.ts";
import type { Tables } from "../database/tables.ts";
import type { ServerDeps } from "../deps.ts";
import { findIdentityRow } from "./identities.ts";

/** The public keys that may sign an identity's records now: the enrolled one, or those of its machines. */
export async function signingKeysOf(
  database: Kysely<Tables>,
  identityId: string,
): Promise<readonly PublicJwk[]> {
  const identity = await findIdentityRow(database, identityId);
  const machines = await database
    .selectFrom("identity_keys")
    .select("key_jwk")
    .where("identity_id", "=", identityId)
    .where("revoked_at", "is", null)
    .orderBy("added_at", "desc")
    .execute();
  const own = identity?.key_jwk == null ? [] : [identity.key_jwk];
  const texts = [...own, ...machines.map((machine) => machine.key_jwk)];
  return texts.map((text) => publicJwkSchema.parse(JSON.parse(text)));
}

/**
 * Registers the key of one more machine of somebody who comes by the force's provider; repeating it succeeds. Beyond 20 machines the one
 * that was registered first signs nothing more: desktops that are made anew each morning never sign out.
 *
 * @throws ExhibitError `policy.not-permitted` for others; `integrity.signature`, `auth.clock-wrong`, `usage.invalid` for a proof that is
 * none; `conflict.exists` for a key that is known already
 */
export async function registerKey(
  { database, clock, settings }: Pick<ServerDeps, "database" | "clock" | "settings">,
  caller: Identity,
  { key, proof }: z.output<typeof newKeySchema>,
): Promise<void> {
  if (caller.enrolledBy !== "provider") {
    throw new ExhibitError("policy.not-permitted", "Your identity has its one key already.", {
      hint: "A further machine needs an invitation of its own.",
    });
  }
  const now = clock.now();
  const claims = keyProofSchema.parse(await openSealed(proof, keyProofType, key));
  const offsetSeconds = Math.round((Date.parse(claims.at) - now.getTime()) / 1000);
  if (Math.abs(offsetSeconds) > proofToleranceSeconds) {
    throw new ExhibitError("auth.clock-wrong", "The proof of the new key is not of now.", {
      hint: "Set this computer's clock and try again.",
      facts: { offsetSeconds },
    });
  }
  if (claims.identity !== caller.id || claims.server !== settings.publicUrl) {
    throw new ExhibitError("usage.invalid", "The proof of the new key was made for another.", {
      hint: "Sign in again: exhibit login.",
    });
  }
  const thumbprint = await thumbprintOf(key);
  await database
    .transaction()
    .execute((trx) => addKey(trx, caller.id, thumbprint, JSON.stringify(key), now));
}

async function addKey(
  trx: Kysely<Tables>,
  identityId: string,
  thumbprint: string,
  keyJwk: string,
  now: Date,
): Promise<void> {
  const known = await trx
    .selectFrom("identity_keys")
    .selectAll()
    .where("thumbprint", "=", thumbprint)
    .executeTakeFirst();
  if (known?.identity_id === identityId && known.revoked_at === null) return;
  const enrolled = await trx
    .selectFrom("identities")
    .select("id")
    .where("key_thumbprint", "=", thumbprint)
    .executeTakeFirst();
  if (known !== undefined || enrolled !== undefined) {
    throw new ExhibitError("conflict.exists", "This key is known here already, or was once.", {
      hint: "Sign in again, which makes a new one: exhibit login.",
    });
  }
  const at = now.toISOString();
  const newest = await trx
    .selectFrom("identity_keys")
    .select("thumbprint")
    .where("identity_id", "=", identityId)
    .where("revoked_at", "is", null)
    .orderBy("added_at", "desc")
    .limit(mostKeys - 1)
    .execute();
  await trx
    .updateTable("identity_keys")
    .set({ revoked_at: at })
    .where("identity_id", "=", identityId)
    .where("revoked_at", "is", null)
    .where(
      "thumbprint",
      "not in",
      newest.map((one) => one.thumbprint),
    )
    .execute();
  await trx
    .insertInto("identity_keys")
    .values({
      thumbprint,
      identity_id: identityId,
      key_jwk: keyJwk,
      added_at: at,
      revoked_at: null,
    })
    .execute();
}

/** From now on the key signs nothing more; repeating it, or one that is not the caller's, changes nothing. */
export async function endKey(
  { database, clock }: Pick<ServerDeps, "database" | "clock">,
  caller: Identity,
  thumbprint: string,
): Promise<void> {
  await database
    .updateTable("identity_keys")
    .set({ revoked_at: clock.now().toISOString() })
    .where("thumbprint", "=", thumbprint)
    .where("identity_id", "=", caller.id)
    .where("revoked_at", "is", null)
    .execute();
}
