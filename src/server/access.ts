import type { FastifyInstance, FastifyRequest } from "fastify";
import { errors as joseErrors, importJWK, jwtVerify } from "jose";
import { ExhibitError } from "../evidence/errors.ts";
import type { Identity, Role } from "../evidence/identity.ts";
import { audienceOf } from "../protocol/server-statement.ts";
import { findIdentity } from "./accounts/identities.ts";
import { LastSeen } from "./accounts/last-seen.ts";
import type { ServerDeps } from "./deps.ts";
import { issuerNamedIn } from "./sso/check-token.ts";
import { officerOf } from "./sso/officers.ts";

/** Who may call a route: anyone, or identities of these roles. Every route declares it: `config: { access }`. */
export type Access = "public" | readonly Role[];

/** What one address may ask of each route that strangers can put to work. */
export const strangersLimit = { max: 300, timeWindow: 60_000 };

declare module "fastify" {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Who calls, checked against the database for this very request. Only on routes that are not public. */
    readonly caller: Identity;
  }
}

/** The OAuth issuer of a server. */
export function issuerOf(publicUrl: string): string {
  return `${publicUrl}/oauth`;
}

/**
 * Guards every route registered after it: deny by default, in this one place. A route that does not declare its
 * `access` stops the server from starting. The bearer token must be this server's own, for this
 * audience, unexpired, or one of the force's provider (`sso/check-token.ts`); its identity's state is read from the
 * database on each request, because a signed token cannot be recalled.
 */
export async function guardRoutes(app: FastifyInstance, deps: ServerDeps): Promise<void> {
  const key = await importJWK(deps.key.publicJwk, "EdDSA");
  const lastSeen = new LastSeen(deps);
  const callers = new WeakMap<FastifyRequest, Identity>();

  app.decorateRequest("caller", {
    getter(this: FastifyRequest): Identity {
      const caller = callers.get(this);
      if (caller === undefined) throw new Error("A public route has no caller.");
      return caller;
    },
  });

  app.addHook("onRoute", (route) => {
    if (route.config?.access === undefined) {
      throw new Error(`The route ${route.url} does not say who may call it.`);
    }
  });

  app.addHook("onRequest", async (request) => {
    const access = request.is404 ? "public" : (request.routeOptions.config.access ?? []);
    if (access === "public") return;
    const caller = await identify(request);
    if (!access.includes(caller.role)) throw roleRefusal(caller.role);
    callers.set(request, caller);
  });

  async function identify(request: FastifyRequest): Promise<Identity> {
    // With 200 groups, which is Entra ID's limit, a token has some 12,000 characters.
    const token = /^Bearer ([A-Za-z0-9._-]{1,15000})$/i.exec(
      request.headers.authorization ?? "",
    )?.[1];
    if (token === undefined) throw notSignedIn();
    const identity = await bearerOf(token);
    if (identity === undefined) throw invalidToken();
    if (identity.revokedAt !== undefined) throw revoked();
    await lastSeen.note(identity.id);
    return identity;
  }

  async function bearerOf(token: string): Promise<Identity | undefined> {
    const { sso, settings, database } = deps;
    const issuer = sso === undefined ? undefined : issuerNamedIn(token);
    if (sso === undefined || issuer === issuerOf(settings.publicUrl)) {
      return findIdentity(database, await subjectOf(token));
    }
    if (issuer === sso.issuer) return officerOf(deps, sso, token);
    throw anotherIssuer(sso.issuer, issuer);
  }

  async function subjectOf(token: string): Promise<string> {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ["EdDSA", "Ed25519"],
        typ: "at+jwt",
        issuer: issuerOf(deps.settings.publicUrl),
        audience: audienceOf(deps.settings.publicUrl),
        currentDate: deps.clock.now(),
        requiredClaims: ["sub", "exp", "iat"],
      });
      return payload.sub ?? "";
    } catch (cause) {
      if (cause instanceof joseErrors.JOSEError) throw invalidToken(cause);
      throw cause;
    }
  }
}

function notSignedIn(): ExhibitError {
  return new ExhibitError("auth.required", "This server asks you to sign in first.", {
    hint: "Run exhibit login with your invitation.",
  });
}

function invalidToken(cause?: Error): ExhibitError {
  return new ExhibitError(
    "auth.token-invalid",
    "The access token is not valid here or has expired.",
    { hint: "Try again; if it goes on, run exhibit login with a new invitation.", cause },
  );
}

function anotherIssuer(wanted: string, named: string | undefined): ExhibitError {
  const tenant = /\/([0-9a-f-]{36})\/v2\.0$/.exec(wanted)?.[1];
  const isFirstVersion = tenant !== undefined && named === `https://sts.windows.net/${tenant}/`;
  return new ExhibitError(
    "auth.token-invalid",
    isFirstVersion
      ? "The access token is of Entra ID's first version, and this server takes the second."
      : "The access token is neither this server's nor that of its sign-in service.",
    {
      hint: isFirstVersion
        ? 'The administrator in Entra ID: App registrations > the application > Manifest > "accessTokenAcceptedVersion": 2.'
        : "Sign in again: exhibit login.",
      facts: { reason: isFirstVersion ? "version" : "issuer" },
    },
  );
}

/** The refusal of an identity that was revoked or has left. */
export function revoked(): ExhibitError {
  return new ExhibitError("auth.identity-revoked", "Your access to this server was taken back.", {
    hint: "Ask the server's administrator for a new invitation.",
  });
}

function roleRefusal(role: Role): ExhibitError {
  return new ExhibitError("policy.role", `This is not open to the role ${role}.`, {
    hint: "Ask an officer or administrator to do it, or for an invitation with another role.",
  });
}
