import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from "jose";
import { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Sso } from "./sso.ts";

/** With a key that anybody can read, a secret-key algorithm would take a forged token; `none` takes all. */
const algorithms = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

/** How far the provider's clock may be from this server's. */
const toleranceSeconds = 60;

/** What of an access token means something here; claims that rules name are read as they are. */
const claimsSchema = z.looseObject({
  sub: z.string().min(1),
  iat: z.number(),
  /** Entra ID's name for a person in a tenant: the same for all applications, as `sub` is not. */
  oid: z.string().min(1).optional(),
  tid: z.string().optional(),
  /** The application that the token was given to: OpenID Connect, RFC 9068, and Entra ID's first version. */
  azp: z.string().optional(),
  client_id: z.string().optional(),
  appid: z.string().optional(),
  scp: z.unknown().optional(),
  scope: z.unknown().optional(),
});
export type ProviderClaims = z.infer<typeof claimsSchema>;

/** What an ID token has, and an access token has not. */
const ofIdTokens = ["nonce", "at_hash", "c_hash", "s_hash"] as const;

/** Why a token does not count, as a fact of the refusal. */
const wrong = {
  malformed: "The access token cannot be read.",
  algorithm: "The access token is not signed in a way that counts here.",
  signature: "The access token was not signed by the force's sign-in service.",
  expired: "The access token has expired.",
  early: "The access token is not valid yet.",
  audience: "The access token was made for another service.",
  client: "The access token was given to another application.",
  kind: "What came is no access token.",
  tenant: "The access token is of another tenant.",
  claims: "The access token lacks a claim that is needed.",
} as const;
type Wrong = keyof typeof wrong;

/** The issuer that a token names, before anything of it is checked. */
export function issuerNamedIn(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/**
 * The claims of an access token of the force's provider (RFC 9068, and Entra ID's in version 2): signed by one of its keys with an
 * asymmetric algorithm, for this server, given to the application that officers sign in with, within its times, and no ID token.
 *
 * @throws ExhibitError `auth.token-invalid` with `facts.reason`; `unavailable.sign-in` where a new key cannot be asked for
 */
export async function checkToken(sso: Sso, token: string, now: Date): Promise<ProviderClaims> {
  const { alg, typ, crit } = headerOf(token);
  if (!algorithms.includes(String(alg))) throw refused("algorithm");
  const kind = typ?.toLowerCase().replace(/^application\//, "");
  if (!["jwt", "at+jwt", undefined].includes(kind) || crit !== undefined) throw refused("kind");
  const claims = claimsSchema.safeParse(await verified(sso, token, now));
  if (!claims.success) throw refused("claims");
  const { data } = claims;
  if (data.iat > now.getTime() / 1000 + toleranceSeconds) throw refused("early");
  const isIdToken = ofIdTokens.some((claim) => claim in data);
  const hasScope = data.scp !== undefined || data.scope !== undefined;
  // A token that is bound to a key of its bearer must not be believed without that key.
  if (isIdToken || (kind !== "at+jwt" && !hasScope) || "cnf" in data) throw refused("kind");
  if ((data.azp ?? data.client_id ?? data.appid) !== sso.clientId) throw refused("client");
  if (data["idtyp"] === "app" || data.sub === sso.clientId) throw refused("kind");
  if (data.tid !== undefined && !belongsTo(sso.issuer, data.tid)) throw refused("tenant");
  return data;
}

async function verified(sso: Sso, token: string, now: Date): Promise<unknown> {
  try {
    const { payload } = await jwtVerify(token, sso.keys, {
      algorithms,
      issuer: sso.issuer,
      audience: sso.audience,
      clockTolerance: toleranceSeconds,
      currentDate: now,
      requiredClaims: ["sub", "exp", "iat"],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw refused(reasonOf(error), error);
    throw error;
  }
}

function reasonOf(error: errors.JOSEError): Wrong {
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "aud") return "audience";
    return error.claim === "nbf" && error.reason === "check_failed" ? "early" : "claims";
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return "algorithm";
  return error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid
    ? "malformed"
    : "signature";
}

function headerOf(token: string): { alg?: string; typ?: string; crit?: unknown } {
  try {
    return decodeProtectedHeader(token);
  } catch (cause) {
    throw refused("malformed", cause);
  }
}

/** Entra ID's issuers carry their tenant. */
function belongsTo(issuer: string, tenant: string): boolean {
  const named = /\/([0-9a-f-]{36})\/v2\.0$/.exec(issuer)?.[1];
  return named === undefined || named === tenant;
}

function refused(reason: Wrong, cause?: unknown): ExhibitError {
  const isOver = reason === "expired";
  return new ExhibitError("auth.token-invalid", wrong[reason], {
    hint: isOver
      ? "Try again; if it goes on, sign in again: exhibit login."
      : "Sign in again: exhibit login. If it goes on, the server's administrator should run: exhibit doctor sso.",
    facts: { reason },
    cause,
  });
}
