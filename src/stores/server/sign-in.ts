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
import { ExhibitError } from "../../evidence/errors.ts";
import type { SigningKey } from "../../evidence/seal.ts";
import { tokenScope } from "../../protocol/accounts.ts";
import { audienceOf, type ServerStatement } from "../../protocol/server-statement.ts";
import type { Route } from "../network.ts";
import { fetchThrough, plainly } from "../oauth-fetch.ts";
import { failureOf } from "./http.ts";

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

function fetchBy(route: Route, signal: AbortSignal): CustomFetch {
  return fetchThrough(route, signal, ({ status, body, url }) =>
    status >= 400 ? oauthFailure(status, body, url) : undefined,
  );
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
