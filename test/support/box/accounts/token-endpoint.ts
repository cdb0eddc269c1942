import { createHash, createPublicKey } from "node:crypto";
import { jwtVerify } from "jose";
import { Refusal, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import type { World } from "../world.ts";
import type { Token } from "./access.ts";
import { downscoped } from "./downscope.ts";
import type { User } from "./users.ts";

const longestAssertionSeconds = 60;

/** `POST /oauth2/token`: all grants. */
export async function tokenEndpoint(world: World, call: Call): Promise<Answer> {
  const form = await call.form();
  const grant = form.get("grant_type");
  if (grant !== "urn:ietf:params:oauth:grant-type:token-exchange") checkClient(world, form);
  switch (grant) {
    case "authorization_code":
      return tokens(world, byCode(world, form), true);
    case "refresh_token": {
      const user = world.tokens.useRefresh(form.get("refresh_token") ?? "");
      if (user === undefined) throw invalidGrant("Invalid refresh token");
      return tokens(world, user, true);
    }
    case "client_credentials":
      return tokens(
        world,
        subject(world, form.get("box_subject_type"), form.get("box_subject_id")),
        false,
      );
    case "urn:ietf:params:oauth:grant-type:jwt-bearer":
      return tokens(world, await byAssertion(world, form.get("assertion") ?? ""), false);
    case "urn:ietf:params:oauth:grant-type:token-exchange":
      return downscoped(world, form);
    default:
      throw new Refusal(400, "unsupported_grant_type", "Invalid grant_type parameter", {
        form: "oauth",
      });
  }
}

/** `POST /oauth2/revoke` */
export async function revokeEndpoint(world: World, call: Call): Promise<Answer> {
  const form = await call.form();
  checkClient(world, form);
  world.tokens.revoke(form.get("token") ?? "");
  return { status: 200 };
}

export function tokenBody(world: World, token: Token): Record<string, unknown> {
  const expires_in = Math.round((token.expiresAt.getTime() - world.now().getTime()) / 1000);
  return { access_token: token.text, expires_in, restricted_to: [], token_type: "bearer" };
}

export function invalidGrant(why: string): Refusal {
  return new Refusal(400, "invalid_grant", why, { form: "oauth" });
}

function tokens(world: World, user: User, refreshable: boolean): Answer {
  const token = world.tokens.issue(user);
  world.events.add("USER_AUTHENTICATE_OAUTH2_ACCESS_TOKEN_CREATE", user, undefined);
  const refresh = refreshable ? { refresh_token: world.tokens.issueRefresh(user) } : {};
  return { status: 200, json: { ...tokenBody(world, token), ...refresh } };
}

function checkClient(world: World, form: URLSearchParams): void {
  const { clientId, clientSecret } = world.app;
  if (form.get("client_id") === clientId && form.get("client_secret") === clientSecret) return;
  throw new Refusal(400, "invalid_client", "The client credentials are invalid", { form: "oauth" });
}

function byCode(world: World, form: URLSearchParams): User {
  const code = world.tokens.useCode(form.get("code") ?? "");
  if (code === undefined)
    throw invalidGrant("Auth code doesn't exist or is invalid for the client");
  const redirect = form.get("redirect_uri");
  if (redirect !== null && redirect !== code.redirectUri) {
    throw new Refusal(400, "redirect_uri_mismatch", "The redirect URI is another one", {
      form: "oauth",
    });
  }
  if (code.challenge !== undefined) {
    const verifier = form.get("code_verifier") ?? "";
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    if (!/^[\w.~-]{43,128}$/.test(verifier) || challenge !== code.challenge) {
      throw invalidGrant("The code verifier does not fit the challenge");
    }
  }
  return code.user;
}

async function byAssertion(world: World, assertion: string): Promise<User> {
  const { jwt, clientId } = world.app;
  const verified = await jwtVerify(assertion, createPublicKey(jwt.publicKey), {
    algorithms: ["RS256", "RS384", "RS512"],
    issuer: clientId,
    audience: world.tokenAudiences(),
    currentDate: world.now(),
    requiredClaims: ["exp", "jti", "sub"],
  }).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : "";
    throw invalidGrant(`Please check the assertion: ${why}`);
  });
  const { payload, protectedHeader } = verified;
  // box-node-sdk 10 names no key, which Box puts up with.
  if ((protectedHeader.kid ?? jwt.keyId) !== jwt.keyId)
    throw invalidGrant("OAuth JWT Public Key Id not found");
  const left = (payload.exp ?? 0) - world.now().getTime() / 1000;
  if (left > longestAssertionSeconds) {
    throw invalidGrant("Please check the 'exp' claim. It must not be more than 60 seconds away");
  }
  const id = payload.jti ?? "";
  if (id.length < 16 || id.length > 128) throw invalidGrant("Please check the 'jti' claim");
  if (world.tokens.usedAssertions.has(id)) {
    throw invalidGrant("Please check the 'jti' claim. It was used before");
  }
  world.tokens.usedAssertions.add(id);
  return subject(world, text(payload["box_sub_type"]), payload.sub ?? null);
}

function subject(world: World, kind: string | null, id: string | null): User {
  if (kind === "enterprise" && id === world.app.enterpriseId) return world.service;
  const user = id === null ? undefined : world.users.get(id);
  if (kind === "user" && user !== undefined && user.kind !== "external") return user;
  throw invalidGrant("Grant credentials are invalid");
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
