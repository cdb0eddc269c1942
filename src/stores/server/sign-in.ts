import {
  allowInsecureRequests,
  clientCredentialsGrant,
  customFetch,
  discovery,
  dynamicClientRegistration,
  modifyAssertion,
  None,
  PrivateKeyJwt,
  type Configuration,
  type CustomFetch,
} from "openid-client";
import { z } from "zod";
import type { Method } from "got";
import { ExhibitError } from "../../evidence/errors.ts";
import type { SigningKey } from "../../evidence/seal.ts";
import { tokenScope } from "../../protocol/accounts.ts";
import { audienceOf, type ServerStatement } from "../../protocol/server-statement.ts";
import type { Route } from "../network.ts";
import { failureOf, parsed, send } from "./http.ts";

const registeredSchema = z.object({
  client_id: z.string(),
  registration_access_token: z.string(),
  registration_client_uri: z.url(),
});

/** Registers a key with an invitation's secret as initial access token (RFC 7591). @throws ExhibitError `auth.invitation-*` */
export async function register(
  statement: ServerStatement,
  key: SigningKey,
  secret: string,
  route: Route,
  signal: AbortSignal,
): Promise<z.infer<typeof registeredSchema>> {
  const configuration = await plainly(
    dynamicClientRegistration(
      new URL(statement.issuer),
      {
        token_endpoint_auth_method: "private_key_jwt",
        grant_types: ["client_credentials"],
        response_types: [],
        redirect_uris: [],
        jwks: { keys: [key.publicJwk] },
      },
      None(),
      { initialAccessToken: secret, ...optionsOf(statement, route, signal) },
    ),
  );
  return registeredSchema.parse(configuration.clientMetadata());
}

/**
 * Prepares proving who we are: the assertions' times come from `serverTime`, this machine's clock put right by what
 * the server's clock said.
 */
export async function prepareGrant(
  statement: ServerStatement,
  clientId: string,
  key: SigningKey,
  serverTime: () => Date,
  route: Route,
  signal: AbortSignal,
): Promise<Configuration> {
  const authentication = PrivateKeyJwt(key.privateKey, {
    [modifyAssertion]: (_header, payload) => {
      const now = Math.floor(serverTime().getTime() / 1000);
      Object.assign(payload, { iat: now, nbf: now, exp: now + 60 });
    },
  });
  return plainly(
    discovery(
      new URL(statement.issuer),
      clientId,
      { token_endpoint_auth_method: "private_key_jwt" },
      authentication,
      optionsOf(statement, route, signal),
    ),
  );
}

/** Proves who we are (RFC 7523) and gets an access token. @throws ExhibitError `auth.*` */
export async function grantToken(
  configuration: Configuration,
  statement: ServerStatement,
  route: Route,
  signal: AbortSignal,
): Promise<{ token: string; lifeSeconds: number }> {
  configuration[customFetch] = fetchBy(route, signal);
  const answer = await plainly(
    clientCredentialsGrant(configuration, {
      scope: tokenScope,
      resource: audienceOf(statement.publicUrl),
    }),
  );
  return { token: answer.access_token, lifeSeconds: answer.expires_in ?? 0 };
}

function optionsOf(
  statement: ServerStatement,
  route: Route,
  signal: AbortSignal,
): { [customFetch]: CustomFetch; execute?: ((configuration: Configuration) => void)[] } {
  const plain = statement.issuer.startsWith("http:");
  return {
    [customFetch]: fetchBy(route, signal),
    // Only ever a loopback address: others were refused before.
    ...(plain ? { execute: [allowInsecureRequests] } : {}),
  };
}

/** Lets openid-client use our one way of making control calls, and turns refusals into our own failures. */
function fetchBy(route: Route, signal: AbortSignal): CustomFetch {
  return async (url, { method, headers, body }) => {
    const { text, ...answer } = await send(
      route,
      {
        url,
        method: method as Method,
        headers,
        body: body === undefined || body === null ? undefined : bodyText(body),
      },
      signal,
    );
    const type = answer.headers["content-type"];
    if (answer.status >= 400) throw oauthFailure(answer.status, parsed(text, type), url);
    return new Response(text, {
      status: answer.status,
      headers: { "content-type": type ?? "application/json" },
    });
  };
}

function bodyText(body: unknown): string {
  if (typeof body === "string") return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError("openid-client sent a body of an unexpected kind.");
}

const invalidClientSchema = z.object({ error: z.enum(["invalid_client", "invalid_token"]) });

function oauthFailure(status: number, body: unknown, url: string): ExhibitError {
  const failure = failureOf(status, body, url);
  if (!invalidClientSchema.safeParse(body).success || failure.code.startsWith("auth.")) {
    return failure;
  }
  return new ExhibitError("auth.token-invalid", "The server does not know this computer's key.", {
    hint: "Log in again with a new invitation: exhibit login.",
  });
}

/** Takes our failures out of what openid-client wraps them in. */
async function plainly<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    let cause: unknown = error;
    while (cause instanceof Error && !(cause instanceof ExhibitError)) cause = cause.cause;
    throw cause instanceof ExhibitError ? cause : error;
  }
}
