import { createPublicKey, webcrypto, type KeyObject } from "node:crypto";
import { ExternalSigningKey, errors, Provider } from "./oidc.ts";
import { randomId } from "../../evidence/random-id.ts";
import type { SigningKey } from "../../evidence/seal.ts";
import { tokenScope } from "../../protocol/accounts.ts";
import { audienceOf } from "../../protocol/server-statement.ts";
import { issuerOf } from "../access.ts";
import type { ServerDeps } from "../deps.ts";
import { assertionToleranceSeconds, explain, OauthRefusal, wrongClock } from "./oauth-refusal.ts";
import { oidcAdapter } from "./oidc-payloads.ts";
import { enrolByInvitation, enrolmentPolicy } from "./registration.ts";

const accessTokenSeconds = 600;
/** The longest that an assertion may live; openid-client's live 60 s. */
const maxAssertionSeconds = 300;

/**
 * This server's own authorisation server: dynamic registration (RFC 7591) for those with an invitation, its deletion
 * (RFC 7592), and client credentials with `private_key_jwt` (RFC 7523) for JWT access tokens of ten minutes
 * (RFC 9068), signed with the server's key. Everything else that oidc-provider can do is off.
 */
export function authorisationServer(deps: ServerDeps): InstanceType<typeof Provider> {
  const audience = audienceOf(deps.settings.publicUrl);
  const off = { enabled: false };
  const provider = new Provider(issuerOf(deps.settings.publicUrl), {
    adapter: (model: string) => oidcAdapter(deps, model),
    jwks: { keys: [externalKey(deps.key)] },
    clientAuthMethods: ["private_key_jwt"],
    enabledJWA: {
      clientAuthSigningAlgValues: ["Ed25519", "EdDSA"],
      idTokenSigningAlgValues: ["EdDSA"],
    },
    clientDefaults: { id_token_signed_response_alg: "EdDSA" },
    responseTypes: [],
    scopes: [tokenScope],
    clockTolerance: assertionToleranceSeconds,
    ttl: { ClientCredentials: accessTokenSeconds },
    assertJwtClientAuthClaimsAndHeader: (_ctx, claims) => {
      requireFresh(claims);
    },
    features: {
      clientCredentials: { enabled: true },
      externalSigningSupport: { enabled: true, ack: "experimental-01" },
      registration: {
        enabled: true,
        initialAccessToken: true,
        issueRegistrationAccessToken: true,
        idFactory: () => randomId("i"),
        policies: {
          [enrolmentPolicy]: (ctx, properties) => enrolByInvitation(deps, ctx, properties),
        },
      },
      registrationManagement: { enabled: true, rotateRegistrationAccessToken: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        getResourceServerInfo: (_ctx, resource) => {
          if (resource !== audience) throw new errors.InvalidTarget();
          return {
            scope: tokenScope,
            audience,
            accessTokenTTL: accessTokenSeconds,
            accessTokenFormat: "jwt",
            jwt: { sign: { alg: "EdDSA" } },
          };
        },
      },
      devInteractions: off,
      dPoP: off,
      pushedAuthorizationRequests: off,
      rpInitiatedLogout: off,
      userinfo: off,
    },
  });
  provider.proxy = true;
  provider.on("grant.error", explain);
  provider.on("registration_create.error", explain);
  provider.on("registration_delete.error", explain);
  return provider;
}

/** The server's key stays where it is: oidc-provider gets signatures, not the key. */
function externalKey(key: SigningKey): InstanceType<typeof ExternalSigningKey> {
  class ServerKey extends ExternalSigningKey {
    override keyObject(): KeyObject {
      return createPublicKey({ key: key.publicJwk, format: "jwk" });
    }

    override async sign(data: Uint8Array): Promise<Uint8Array> {
      return new Uint8Array(await webcrypto.subtle.sign("Ed25519", key.privateKey, data));
    }
  }
  return Object.assign(new ServerKey(), { kid: key.thumbprint, alg: "EdDSA" });
}

/** Refuses an assertion made more than a minute from now or for longer than it needs. */
function requireFresh(claims: Record<string, unknown>): void {
  const { iat, exp } = claims;
  if (typeof iat !== "number" || typeof exp !== "number" || exp - iat > maxAssertionSeconds) {
    throw new errors.InvalidClientAuth("the assertion needs iat and a short life");
  }
  const offset = iat - Math.floor(Date.now() / 1000);
  if (Math.abs(offset) > assertionToleranceSeconds) {
    throw new OauthRefusal("invalid_client", wrongClock(offset));
  }
}
