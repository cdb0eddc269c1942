import { errors, type Adapter, type AdapterPayload } from "./oidc.ts";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { publicJwkSchema } from "../../evidence/seal.ts";
import { revoked } from "../access.ts";
import type { ServerDeps } from "../deps.ts";
import { endIdentity, findIdentityRow } from "./identities.ts";
import { findInvitationBySecret, requireOpen } from "./invitations.ts";
import { OauthRefusal } from "./oauth-refusal.ts";
import { clientMetadata, enrolmentPolicy } from "./registration.ts";

type AccountDeps = Pick<ServerDeps, "clock" | "database">;

/** Where oidc-provider finds and keeps its things, by model. */
export function oidcAdapter(deps: AccountDeps, model: string): Adapter {
  const common = {
    findByUserCode: () => unused(model),
    findByUid: () => unused(model),
    consume: () => unused(model),
    revokeByGrantId: () => unused(model),
  };
  if (model === "Client") return { ...common, ...clients(deps) };
  if (model === "InitialAccessToken") return { ...common, ...invitations(deps) };
  return { ...common, ...payloads(deps, model) };
}

type Kept = Pick<Adapter, "upsert" | "find" | "destroy">;

/** Clients are identities: the registration policy makes them, deleting the registration ends them. */
function clients({ clock, database }: AccountDeps): Kept {
  return {
    upsert: () => Promise.resolve(),
    async find(id) {
      const row = await findIdentityRow(database, id);
      // Who comes by the force's provider has no key that gets tokens here.
      if (row?.key_jwk == null) return undefined;
      if (row.revoked_at !== null) throw new OauthRefusal("invalid_client", revoked());
      return clientMetadata(id, publicJwkSchema.parse(JSON.parse(row.key_jwk)));
    },
    destroy: (id) => endIdentity(database, id, clock.now()),
  };
}

/** Initial access tokens are invitations; a used one goes on to the policy, which knows a repetition. */
function invitations({ clock, database }: AccountDeps): Kept {
  return {
    upsert: () => unused("InitialAccessToken"),
    async find(secret) {
      try {
        const row = await findInvitationBySecret(database, secret);
        if (row.used_at === null) requireOpen(row, clock.now());
        return { jti: row.id, kind: "InitialAccessToken", policies: [enrolmentPolicy] };
      } catch (error) {
        throw error instanceof ExhibitError ? new OauthRefusal("invalid_token", error) : error;
      }
    },
    destroy: () => unused("InitialAccessToken"),
  };
}

/** The rest lies in one table, under the SHA-256 of its id, because the id of a token is the token. */
function payloads({ clock, database }: AccountDeps, model: string): Kept {
  return {
    async upsert(id, payload, expiresIn) {
      const now = clock.now();
      const seconds = expiresIn ?? 0;
      await database
        .deleteFrom("oidc_payloads")
        .where("expires_at", "<=", now.toISOString())
        .execute();
      const added = await database
        .insertInto("oidc_payloads")
        .values({
          model,
          id: sha256Of(id),
          payload: JSON.stringify({ ...payload, jti: undefined }),
          expires_at: seconds > 0 ? new Date(now.getTime() + seconds * 1000).toISOString() : null,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      // An assertion that two requests bring at the same moment: only one of them can be the first.
      if (added.numInsertedOrUpdatedRows === 0n) throw new errors.InvalidClientAuth("used before");
    },
    async find(id) {
      const row = await database
        .selectFrom("oidc_payloads")
        .select("payload")
        .where("model", "=", model)
        .where("id", "=", sha256Of(id))
        .executeTakeFirst();
      if (row === undefined) return undefined;
      return { ...(JSON.parse(row.payload) as AdapterPayload), jti: id };
    },
    async destroy(id) {
      await database
        .deleteFrom("oidc_payloads")
        .where("model", "=", model)
        .where("id", "=", sha256Of(id))
        .execute();
    },
  };
}

function unused(model: string): Promise<never> {
  return Promise.reject(new Error(`This server does not use ${model} in this way.`));
}
