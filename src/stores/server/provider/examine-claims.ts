import { decodeJwt } from "jose";
import { ExhibitError, type ErrorCode } from "../../../evidence/errors.ts";
import { identitySchema } from "../../../evidence/identity.ts";
import type { DoctorFinding } from "../../../evidence/ports/doctor.ts";
import { identitiesPath } from "../../../protocol/accounts.ts";
import type { StatedProvider } from "../../../protocol/server-statement.ts";
import { callServer } from "../http.ts";
import type { SessionMachine } from "../session.ts";
import { finding } from "./finding.ts";

const registration = "Entra ID, App registrations > the application";
const groupsClaim = `${registration} > Token configuration > Add groups claim > Security groups (or Groups assigned to the application), with the Group ID under Access; manifest: "groupMembershipClaims". Or App roles, and assign them under Enterprise applications > the application > Users and groups.`;

/** Holds what a sign-in carries against what the server needs, and asks the server what it makes of it. */
export async function examineClaims(
  url: string,
  { issuer, clientId }: StatedProvider,
  token: string | undefined,
  { network }: SessionMachine,
  signal: AbortSignal,
): Promise<DoctorFinding[]> {
  if (token === undefined) {
    const words = "Nobody is signed in here, so no claims could be looked at.";
    return [finding("claims", "unknown", words, "exhibit doctor sso --sign-in looks at yours.")];
  }
  const claims = readable(token);
  if (claims === undefined) {
    return [
      finding(
        "claims",
        "will-not-work",
        "The provider's access tokens are not JWTs of the kind that a server can check.",
        `${registration} > Expose an API: set the Application ID URI; and exhibit serve --oidc-scope CLIENT_ID/.default. Elsewhere: make access tokens for this API JWTs (RFC 9068).`,
      ),
    ];
  }
  const findings = seen(claims, issuer, clientId);
  try {
    const call = { method: "GET", path: `${identitiesPath}/me` } as const;
    const headers = { authorization: `Bearer ${token}` };
    const answer = await callServer(url, network.route(url), call, headers, signal);
    const { role, organisation } = identitySchema.parse(answer.body);
    findings.push(
      finding("role", "ok", `The server takes this sign-in as ${role} of ${organisation}.`),
    );
  } catch (error) {
    if (!(error instanceof ExhibitError)) throw error;
    findings.push(refusedBy(error, claims));
  }
  return findings;
}

type Claims = Readonly<Record<string, unknown>>;

function seen(claims: Claims, issuer: string, clientId: string): DoctorFinding[] {
  const groups = claims["groups"];
  const roles = claims["roles"];
  const carried = [
    `version ${text(claims["ver"])}`,
    `audience ${text(claims["aud"])}`,
    `application ${text(claims["azp"] ?? claims["client_id"] ?? claims["appid"])}`,
    `${Array.isArray(groups) ? groups.length : 0} groups`,
    `app roles: ${Array.isArray(roles) && roles.length > 0 ? roles.map(text).join(", ") : "none"}`,
    `object id: ${"oid" in claims ? "yes" : "no"}`,
  ].join("; ");
  const findings = [finding("claims", "ok", `The sign-in carries ${carried}.`)];
  if (claims["iss"] !== issuer) {
    findings.push(
      finding(
        "token-version",
        "will-not-work",
        `Access tokens come from ${text(claims["iss"])}, and the server expects ${issuer}.`,
        `${registration} > Manifest: "accessTokenAcceptedVersion": 2 (newer form: "requestedAccessTokenVersion": 2).`,
      ),
    );
  }
  const application = claims["azp"] ?? claims["client_id"] ?? claims["appid"];
  if (application !== clientId) {
    findings.push(
      finding(
        "token-application",
        "will-not-work",
        "Access tokens do not say that they were given to the application that the server expects.",
        "Compare --oidc-client-id with App registrations > the application > Overview > Application (client) ID.",
      ),
    );
  }
  const names = claims["_claim_names"];
  const isElsewhere = typeof names === "object" && names !== null && "groups" in names;
  if (isElsewhere || claims["hasgroups"] === true) {
    findings.push(
      finding(
        "groups-overage",
        Array.isArray(roles) && roles.length > 0 ? "unknown" : "will-not-work",
        "The person is in more groups than a token can name (200), so it names none.",
        `${registration} > Token configuration > groups claim > "Groups assigned to the application" (manifest: "groupMembershipClaims": "ApplicationGroup"), and assign the groups under Enterprise applications > the application > Users and groups. Or use App roles with "claim":"roles" in the role map.`,
      ),
    );
  } else if (!Array.isArray(groups) && !Array.isArray(roles)) {
    findings.push(
      finding(
        "groups",
        "will-not-work",
        "The sign-in carries no groups and no app roles.",
        groupsClaim,
      ),
    );
  }
  return findings;
}

function refusedBy({ code, message, hint, facts }: ExhibitError, claims: Claims): DoctorFinding {
  const remedies: Partial<Record<ErrorCode, string>> = {
    "policy.no-role": `Name one of the person's groups or app roles in the server's role map. ${groupsClaim}`,
  };
  const byReason: Readonly<Record<string, string>> = {
    audience: `exhibit serve --oidc-audience must be ${text(claims["aud"])}, if that is this server's application; else ask for its scope with --oidc-scope.`,
    kind: `exhibit serve --oidc-scope must ask for the application's own scope, such as CLIENT_ID/.default; ${registration} > Expose an API.`,
    client: "exhibit serve --oidc-client-id must be the application that officers sign in with.",
    early: "Set the server's date and time.",
    signature:
      "The server holds other keys than the provider: check --oidc-issuer and what is between them.",
  };
  const remedy = byReason[String(facts["reason"])] ?? remedies[code] ?? hint;
  return finding("role", "will-not-work", `The server refuses this sign-in: ${message}`, remedy);
}

function readable(token: string): Claims | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

/** Ids and versions; whatever else a provider puts there is not shown. */
function text(value: unknown): string {
  return typeof value === "string" && /^[\w.:/-]{1,120}$/.test(value) ? value : "not said";
}
