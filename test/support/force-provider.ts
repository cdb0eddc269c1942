import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from "jose";
import { Provider, type Adapter, type AdapterPayload } from "../../src/server/accounts/oidc.ts";

/** Somebody of the force, as its provider knows them. */
export interface Account {
  /** Entra ID's object id. */
  readonly oid: string;
  groups?: readonly string[];
  roles?: readonly string[];
  /** In more groups than a token can name. */
  isInTooMany?: boolean;
  isDisabled?: boolean;
}

/** What the provider does otherwise than it should, and how it is set up. */
export interface Habits {
  accessTokenSeconds: number;
  /** Conditional Access blocks signing in with a code. */
  blocksDevices: boolean;
  hasDeviceFlow: boolean;
  /** Answers come this late. */
  delayMs: number;
  isDown: boolean;
  /** What it answers when a login is to be ended; undefined where it ends it. */
  endsNothing: string | undefined;
  /** What a token of its says otherwise than it would. */
  claims: Record<string, unknown>;
  /** Takes the place of parts of the discovery document. */
  discovery: Record<string, unknown>;
}

/** The force's provider: a real one, with Entra ID's habits, on an origin of its own. */
export interface ForceProvider {
  readonly issuer: string;
  readonly tenant: string;
  /** The application, which is also whom its access tokens are for. */
  readonly clientId: string;
  readonly accounts: Map<string, Account>;
  readonly habits: Habits;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
  /** Signs with new keys from now on; old ones are not published any more. */
  rotate(): Promise<void>;
  /** A token as an attacker, or a provider gone wrong, would make it. */
  token(claims?: Record<string, unknown>, options?: TokenOptions): Promise<string>;
  close(): Promise<void>;
}

export interface TokenOptions {
  readonly header?: Record<string, unknown>;
  /** Left out, the provider's own. */
  readonly key?: CryptoKey | Uint8Array;
  readonly alg?: string;
}

export interface Tls {
  readonly cert: string;
  readonly key: string;
}

const clientId = "7d3f0b1e-92c4-4a57-8a5e-0c2b6c1d4f90";
const tenant = "4c1f8a2e-6b0d-4f3a-9d57-2e8f1b7c6a30";
/** A scope of the application's own, as in Entra ID: the client id and a slash. */
export const scope = `${clientId}/.default`;
export const groups = {
  officers: "0a6b1c2d-1111-4222-8333-444455556666",
  admins: "0a6b1c2d-2222-4222-8333-444455556666",
};

interface Keys {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwks: { keys: Record<string, unknown>[] };
}

let made = 0;

async function newKeys(): Promise<Keys> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const kid = `key-${(made += 1)}`;
  const jwk = { ...(await exportJWK(privateKey)), kid, use: "sig", alg: "RS256" };
  return { kid, privateKey, jwks: { keys: [jwk] } };
}

export async function startForceProvider(tls?: Tls): Promise<ForceProvider> {
  const asked: string[] = [];
  const habits: Habits = {
    accessTokenSeconds: 3600,
    blocksDevices: false,
    hasDeviceFlow: true,
    delayMs: 0,
    isDown: false,
    endsNothing: undefined,
    claims: {},
    discovery: {},
  };
  const accounts = new Map<string, Account>();
  const server =
    tls === undefined
      ? createServer((request, response) => void serve(request, response))
      : createTlsServer(tls, (request, response) => void serve(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const base = `/${tenant}/v2.0`;
  const issuer = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}${base}`;
  let keys = await newKeys();
  const kept: Kept = new Map();
  let provider = providerWith(issuer, keys, accounts, habits, kept);

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? "/";
    asked.push(url.split("?")[0] ?? "");
    if (habits.isDown) return void request.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, habits.delayMs));
    if (!url.startsWith(`${base}/`)) return void response.writeHead(404).end();
    const path = url.slice(base.length);
    if (path === "/.well-known/openid-configuration") return void discover(response);
    if (habits.blocksDevices && path === "/device/auth") {
      response.writeHead(400, { "content-type": "application/json" });
      const description = "AADSTS53003: Access has been blocked by Conditional Access policies.";
      response.end(JSON.stringify({ error: "access_denied", error_description: description }));
      return;
    }
    if (habits.endsNothing !== undefined && path === "/token/revocation") {
      response.writeHead(400, { "content-type": "application/json" });
      response.end(
        JSON.stringify({ error: habits.endsNothing, error_description: "Planted Name" }),
      );
      return;
    }
    Object.assign(request, { url: path, originalUrl: url });
    await provider.callback()(request, response);
  }

  async function discover(response: ServerResponse): Promise<void> {
    const own: unknown = Object.fromEntries(
      [
        ["authorization_endpoint", "/auth"],
        ["token_endpoint", "/token"],
        ["jwks_uri", "/jwks"],
        ["revocation_endpoint", "/token/revocation"],
        ...(habits.hasDeviceFlow ? [["device_authorization_endpoint", "/device/auth"]] : []),
      ].map(([name, path]) => [name, `${issuer}${path ?? ""}`]),
    );
    response.writeHead(200, { "content-type": "application/json" });
    const fixed = {
      issuer,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      code_challenge_methods_supported: ["S256"],
    };
    response.end(JSON.stringify({ ...fixed, ...(own as object), ...habits.discovery }));
    await Promise.resolve();
  }

  return {
    issuer,
    tenant,
    clientId,
    accounts,
    habits,
    asked,
    async rotate() {
      keys = await newKeys();
      provider = providerWith(issuer, keys, accounts, habits, kept);
    },
    token(claims = {}, options = {}) {
      const now = Math.floor(Date.now() / 1000);
      const usual: Record<string, unknown> = {
        iss: issuer,
        aud: clientId,
        azp: clientId,
        sub: "pairwise-subject",
        oid: "11111111-2222-4333-8444-555555555555",
        tid: tenant,
        scp: "access",
        ver: "2.0",
        groups: [groups.officers],
        iat: now,
        nbf: now,
        exp: now + 3600,
      };
      const payload = Object.fromEntries(
        Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined),
      );
      const alg = options.alg ?? "RS256";
      return new SignJWT(payload)
        .setProtectedHeader({ alg, typ: "JWT", kid: keys.kid, ...options.header })
        .sign(options.key ?? keys.privateKey);
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

type Kept = Map<string, AdapterPayload>;

/** What a provider keeps outlives a change of its keys. */
function keeping(kept: Kept, model: string): Adapter {
  const name = (id: string): string => `${model}:${id}`;
  const by = (field: "uid" | "userCode", value: string): AdapterPayload | undefined =>
    [...kept].find(([key, one]) => key.startsWith(`${model}:`) && one[field] === value)?.[1];
  return {
    upsert: (id, payload) => Promise.resolve(void kept.set(name(id), payload)),
    find: (id) => Promise.resolve(kept.get(name(id))),
    findByUid: (uid) => Promise.resolve(by("uid", uid)),
    findByUserCode: (code) => Promise.resolve(by("userCode", code)),
    consume(id) {
      kept.set(name(id), { ...kept.get(name(id)), consumed: Math.floor(Date.now() / 1000) });
      return Promise.resolve();
    },
    destroy: (id) => Promise.resolve(void kept.delete(name(id))),
    revokeByGrantId(grant) {
      for (const [key, { grantId }] of kept) if (grantId === grant) kept.delete(key);
      return Promise.resolve();
    },
  };
}

function providerWith(
  issuer: string,
  keys: Keys,
  accounts: ReadonlyMap<string, Account>,
  habits: Habits,
  kept: Kept,
): InstanceType<typeof Provider> {
  const audience = `urn:${clientId}`;
  const provider = new Provider(issuer, {
    adapter: (model: string) => keeping(kept, model),
    jwks: keys.jwks,
    cookies: { keys: ["test"], short: { path: "/" }, long: { path: "/" } },
    clients: [
      {
        client_id: clientId,
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: ["http://localhost"],
        response_types: ["code"],
        grant_types: [
          "authorization_code",
          "refresh_token",
          "urn:ietf:params:oauth:grant-type:device_code",
        ],
      },
    ],
    scopes: ["openid", "offline_access", scope],
    findAccount: (_ctx, id) => {
      const account = accounts.get(id);
      if (account === undefined || account.isDisabled === true) return undefined;
      return { accountId: id, claims: () => ({ sub: `pairwise-${account.oid.slice(0, 8)}` }) };
    },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client) => Promise.resolve(client.grantTypeAllowed("refresh_token")),
    ttl: {
      AccessToken: () => habits.accessTokenSeconds,
      AuthorizationCode: 60,
      DeviceCode: 120,
      Grant: 3600,
      IdToken: 300,
      Interaction: 600,
      RefreshToken: 3600,
      Session: 3600,
    },
    extraTokenClaims: (_ctx, token) => {
      const account = accounts.get("accountId" in token ? token.accountId : "");
      if (account === undefined) return {};
      const { oid, groups: named, roles, isInTooMany } = account;
      return {
        oid,
        tid: tenant,
        ver: "2.0",
        azp: clientId,
        scp: "access",
        ...(named === undefined || isInTooMany === true ? {} : { groups: named }),
        ...(roles === undefined ? {} : { roles }),
        ...(isInTooMany === true ? { _claim_names: { groups: "src1" } } : {}),
        ...habits.claims,
      };
    },
    formats: {
      customizers: {
        jwt: (_ctx, _token, jwt) => {
          // Entra ID's access tokens go by this type.
          jwt.header = { ...jwt.header, typ: "JWT" };
        },
      },
    },
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true, allowedPolicy: () => Promise.resolve(true) },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope,
          audience: clientId,
          accessTokenTTL: habits.accessTokenSeconds,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
  provider.proxy = true;
  return provider;
}
