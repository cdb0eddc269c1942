import type { Kysely } from "kysely";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import { randomId } from "../../evidence/random-id.ts";
import { identityOfRow } from "../accounts/identities.ts";
import type { IdentityRow } from "../database/account-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ServerDeps } from "../deps.ts";
import { checkToken, type ProviderClaims } from "./check-token.ts";
import { mapped } from "./role-map.ts";
import type { Sso } from "./sso.ts";

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Who an access token of the force's provider is here: enrolled at first sight, and always with the role that this very token gives.
 * Kept are a digest of the provider's name for them, and that name where it is a GUID; no name or address of a person.
 *
 * @throws ExhibitError `auth.token-invalid`, `policy.no-role`, `policy.groups-overage`, `unavailable.sign-in`
 */
export async function officerOf(
  { database, clock, settings }: Pick<ServerDeps, "database" | "clock" | "settings">,
  sso: Sso,
  token: string,
): Promise<Identity> {
  const now = clock.now();
  const claims = await checkToken(sso, token, now);
  const fits = mapped(sso.roleMap, claims);
  if (fits === undefined) throw fitsNothing(claims);
  const { role, organisation = settings.organisation } = fits;
  const row = await rowOf(database, sso, claims, {
    role,
    organisation,
    enrolled_at: now.toISOString(),
  });
  if (row.role !== role || row.organisation !== organisation) {
    await database
      .updateTable("identities")
      .set({ role, organisation })
      .where("id", "=", row.id)
      .execute();
  }
  return identityOfRow({ ...row, role, organisation });
}

async function rowOf(
  database: Kysely<Tables>,
  { issuer }: Sso,
  { oid, sub }: ProviderClaims,
  made: Pick<IdentityRow, "role" | "organisation" | "enrolled_at">,
): Promise<IdentityRow> {
  const subject = oid ?? sub;
  const digest = sha256Of(JSON.stringify([issuer, subject]));
  const find = (): Promise<IdentityRow | undefined> =>
    database
      .selectFrom("identities")
      .selectAll()
      .where("provider_sha256", "=", digest)
      .executeTakeFirst();
  const known = await find();
  if (known !== undefined) return known;
  const row: IdentityRow = {
    ...made,
    id: randomId("i"),
    enrolled_by: "provider",
    key_jwk: null,
    key_thumbprint: null,
    invitation_id: null,
    provider_sha256: digest,
    provider_subject: guid.test(subject) ? subject : null,
    last_seen_at: null,
    revoked_at: null,
    quota_bytes: null,
    used_bytes: 0,
  };
  await database
    .insertInto("identities")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  // Of two requests that see somebody for the first time, one has made the row.
  return (await find()) ?? row;
}

/** In Entra ID a token names 200 groups at most; of who is in more it only says so. */
function fitsNothing(claims: ProviderClaims): ExhibitError {
  const names = claims["_claim_names"];
  const elsewhere = typeof names === "object" && names !== null && "groups" in names;
  if (elsewhere || claims["hasgroups"] === true) {
    return new ExhibitError(
      "policy.groups-overage",
      "You are in more groups than your sign-in can name, so this server cannot tell your role.",
      {
        hint: 'The administrator in Entra ID: App registrations > the application > Token configuration > groups claim > "Groups assigned to the application"; or App roles, and a rule with "claim":"roles" in the role map.',
      },
    );
  }
  return new ExhibitError(
    "policy.no-role",
    "You are signed in, but in no group that has a role on this server.",
    {
      hint: "The administrator must put you in a group, or give you an app role, that the server's role map names. exhibit doctor sso shows what your sign-in carries.",
    },
  );
}
