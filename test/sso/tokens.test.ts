import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { exportSPKI, generateKeyPair, importJWK, type CryptoKey, type JWTPayload } from "jose";
import { identityReportsSchema } from "../../src/protocol/accounts.ts";
import {
  groups,
  startForceProvider,
  type ForceProvider,
  type TokenOptions,
} from "../support/force-provider.ts";
import { MovingClock } from "../support/moving-clock.ts";
import { soon, startServer, type TestServer } from "../support/server.ts";
import { believing } from "../support/sso-server.ts";

const minute = 60_000;
const clock = new MovingClock();
let provider: ForceProvider;
let server: TestServer;
let now: number;

beforeAll(async () => {
  provider = await startForceProvider();
  server = await startServer({ clock, deps: { sso: believing(provider, clock) } });
});
beforeEach(() => {
  now = Math.floor(Date.now() / 1000);
  provider.habits.isDown = false;
  provider.habits.delayMs = 0;
});
afterAll(async () => {
  await server.stop();
  await provider.close();
});

interface Answered {
  readonly status: number;
  readonly code?: string;
  readonly title?: string;
  readonly hint?: string;
  readonly facts?: Record<string, string>;
  readonly id?: string;
  readonly role?: string;
}

async function me(token: string, path = "/v1/identities/me"): Promise<Answered> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${server.url}${path}`, { headers, signal: soon() });
  return { ...((await answer.json()) as Omit<Answered, "status">), status: answer.status };
}

/** The provider's public key, as anybody can read it, for a token that is signed with it as if it were a secret. */
async function publicKeyAsSecret(): Promise<Uint8Array> {
  const keys = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: object[] };
  const key = await importJWK({ ...keys.keys[0], alg: "RS256" });
  return new TextEncoder().encode(await exportSPKI(key as CryptoKey));
}

async function anothersKey(alg = "RS256"): Promise<TokenOptions> {
  return { key: (await generateKeyPair(alg)).privateKey, alg };
}

const base64url = (value: object): string =>
  Buffer.from(JSON.stringify(value)).toString("base64url");

type Making = () => Promise<string>;
const wrong: [string, string, Making][] = [
  ["expired", "expired", () => provider.token({ iat: now - 7200, nbf: now - 7200, exp: now - 61 })],
  ["not valid yet", "early", () => provider.token({ nbf: now + 120 })],
  ["made in the future", "early", () => provider.token({ iat: now + 120 })],
  ["without an end", "claims", () => provider.token({ exp: undefined })],
  ["without a beginning", "claims", () => provider.token({ iat: undefined })],
  ["of nobody", "claims", () => provider.token({ sub: undefined })],
  ["of a foreign issuer", "issuer", () => provider.token({ iss: "https://idp.evil.example" })],
  [
    "of another tenant's issuer",
    "issuer",
    () => provider.token({ iss: provider.issuer.replace(provider.tenant, "0".repeat(36)) }),
  ],
  ["of another tenant", "tenant", () => provider.token({ tid: `9${provider.tenant.slice(1)}` })],
  [
    "of Entra ID's first version",
    "version",
    () => provider.token({ iss: `https://sts.windows.net/${provider.tenant}/`, ver: "1.0" }),
  ],
  ["for a foreign audience", "audience", () => provider.token({ aud: "api://something-else" })],
  ["of a foreign client", "client", () => provider.token({ azp: "another-client" })],
  ["of no client", "client", () => provider.token({ azp: undefined })],
  ["an ID token, by its nonce", "kind", () => provider.token({ nonce: "n" })],
  ["an ID token, by what it lacks", "kind", () => provider.token({ scp: undefined })],
  ["in the wrong type", "kind", () => provider.token({}, { header: { typ: "logout+jwt" } })],
  ["of an application alone", "kind", () => provider.token({ idtyp: "app" })],
  ["bound to a key of its bearer", "kind", () => provider.token({ cnf: { jkt: "x" } })],
  [
    "unsigned",
    "algorithm",
    async () => {
      const [, payload = ""] = (await provider.token()).split(".");
      return `${base64url({ alg: "none", typ: "JWT" })}.${payload}.`;
    },
  ],
  [
    "signed with the public key as a secret",
    "algorithm",
    async () => provider.token({}, { key: await publicKeyAsSecret(), alg: "HS256" }),
  ],
  [
    "signed by another key of that name",
    "signature",
    async () => provider.token({}, await anothersKey()),
  ],
  [
    "signed with another algorithm of that name",
    "signature",
    async () => {
      clock.aheadMs += minute;
      return provider.token({}, await anothersKey("ES256"));
    },
  ],
  [
    "changed after signing",
    "signature",
    async () => {
      const [header = "", payload = "", signature = ""] = (await provider.token()).split(".");
      const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as JWTPayload;
      return `${header}.${base64url({ ...claims, groups: [groups.admins] })}.${signature}`;
    },
  ],
  [
    "with something critical that is not known",
    "kind",
    async () => {
      const [header = "", payload = "", signature = ""] = (await provider.token()).split(".");
      const fields = JSON.parse(Buffer.from(header, "base64url").toString()) as object;
      return `${base64url({ ...fields, crit: ["x"], x: 1 })}.${payload}.${signature}`;
    },
  ],
];

describe("a token of the provider", () => {
  it("makes its bearer known at first sight, by no name, with the role that it gives", async () => {
    const secret = { name: "Planted Name", upn: "planted@force.example", email: "p@force.example" };
    const first = await me(await provider.token(secret));
    expect(first).toMatchObject({
      status: 200,
      role: "officer",
      organisation: "Example Police",
      enrolledBy: "provider",
    });
    const again = await me(await provider.token({ ...secret, groups: [groups.admins] }));
    expect([again.id, again.role]).toEqual([first.id, "admin"]);
    const back = await me(await provider.token(secret));
    expect([back.id, back.role]).toEqual([first.id, "officer"]);
    const other = await me(await provider.token({ oid: undefined, sub: "another@force.example" }));
    expect(other.id).not.toBe(first.id);

    const admin = await provider.token({ groups: [groups.admins], oid: "0".repeat(36) });
    const report = identityReportsSchema
      .strip()
      .parse(await me(admin, "/v1/identities/report")).identities;
    const oid = "11111111-2222-4333-8444-555555555555";
    expect(report.find(({ id }) => id === first.id)).toMatchObject({ providerSubject: oid });
    expect(report.find(({ id }) => id === other.id)).not.toHaveProperty("providerSubject");
    expect(report.find(({ id }) => id === first.id)?.lastSeenAt).toBeDefined();
    const rows = JSON.stringify(
      await server.deps.database.selectFrom("identities").selectAll().execute(),
    );
    for (const planted of [...Object.values(secret), "another@force.example", "eyJ"]) {
      expect(rows).not.toContain(planted);
      expect(server.log.join("\n")).not.toContain(planted);
    }
  });

  it("counts by an app role, too, and by RFC 9068's type", async () => {
    const token = { groups: undefined, roles: ["Exhibit.Admin"], scp: undefined };
    const header = { typ: "at+jwt" };
    expect(await me(await provider.token(token, { header }))).toMatchObject({ role: "admin" });
    const longList = Array.from({ length: 200 }, (_, i) => String(i).padStart(36, "0"));
    const long = await provider.token({ groups: [...longList.slice(1), groups.officers] });
    expect(long.length).toBeGreaterThan(10_000);
    expect(await me(long)).toMatchObject({ status: 200, role: "officer" });
  });

  it.each(wrong)("is refused where it is %s (%s)", async (_what, reason, make) => {
    const token = await make();
    const answer = await me(token);
    expect(answer).toMatchObject({ status: 401, code: "auth.token-invalid", facts: { reason } });
    for (const part of token.split(".")) {
      expect(JSON.stringify(answer) + server.log.join("\n")).not.toContain(part || "no part");
    }
  });

  it.each([
    ["policy.no-role", "role map", { groups: ["0a6b1c2d-9999-4222-8333-444455556666"] }],
    ["policy.no-role", "app role", { groups: undefined }],
    ["policy.groups-overage", "Groups assigned", { groups: undefined, hasgroups: true }],
    [
      "policy.groups-overage",
      "Groups assigned",
      { groups: undefined, _claim_names: { groups: "src1" } },
    ],
  ])("that fits no rule is refused with %s, and what to set: %s", async (code, words, claims) => {
    const oid = "12121212-2222-4333-8444-555555555555";
    const answer = await me(await provider.token({ oid, ...claims }));
    expect(answer).toMatchObject({ status: 403, code });
    expect(answer.hint).toContain(words);
  });

  it("counts no more once its bearer was revoked here, and again when let in again", async () => {
    const oid = "77777777-2222-4333-8444-555555555555";
    const token = await provider.token({ oid });
    const admin = await provider.token({ groups: [groups.admins], oid: "0".repeat(36) });
    const { id = "" } = await me(token);
    const headers = { authorization: `Bearer ${admin}` };
    const at = `${server.url}/v1/identities/${id}`;
    expect((await fetch(at, { method: "DELETE", headers })).status).toBe(204);
    expect(await me(token)).toMatchObject({ status: 401, code: "auth.identity-revoked" });
    expect((await fetch(`${at}/restore`, { method: "POST", headers })).status).toBe(200);
    expect(await me(token)).toMatchObject({ status: 200, id });
  });
});

describe("the provider's keys", () => {
  it("are asked for again when it signs with new ones, but not for each token that names an unknown one", async () => {
    await me(await provider.token());
    clock.aheadMs += minute;
    await provider.rotate();
    expect(await me(await provider.token())).toMatchObject({ status: 200 });
    const asked = provider.asked.length;
    for (const kid of ["a", "b", "c"]) {
      const forged = await provider.token({}, { header: { kid } });
      expect(await me(forged)).toMatchObject({ status: 503, code: "unavailable.sign-in" });
    }
    expect(provider.asked.length).toBe(asked);
    clock.aheadMs += minute;
    const forged = await provider.token({}, { header: { kid: "d" } });
    expect(await me(forged)).toMatchObject({ status: 401, facts: { reason: "signature" } });
  });

  it("go on counting while it is down; a new one cannot be asked for, and that is said", async () => {
    await me(await provider.token());
    const known = await provider.token();
    provider.habits.isDown = true;
    clock.aheadMs += 30 * minute;
    expect(await me(known)).toMatchObject({ status: 200 });
    await provider.rotate();
    clock.aheadMs += minute;
    expect(await me(await provider.token())).toMatchObject({
      status: 503,
      code: "unavailable.sign-in",
    });
    provider.habits.isDown = false;
    clock.aheadMs += minute;
    expect(await me(await provider.token())).toMatchObject({ status: 200 });
    clock.aheadMs += minute;
    expect(await me(known)).toMatchObject({ facts: { reason: "signature" } });
  });

  it("count late where it is slow, and not at all where the discovery document is another's", async () => {
    provider.habits.delayMs = 300;
    clock.aheadMs += 11 * minute;
    expect(await me(await provider.token())).toMatchObject({ status: 200 });
    provider.habits.delayMs = 0;
    provider.habits.discovery = { issuer: "https://idp.evil.example" };
    await provider.rotate();
    clock.aheadMs += minute;
    expect(await me(await provider.token())).toMatchObject({ code: "unavailable.sign-in" });
    provider.habits.discovery = { jwks_uri: "http://keys.evil.example/jwks" };
    clock.aheadMs += minute;
    expect(await me(await provider.token())).toMatchObject({ code: "unavailable.sign-in" });
    provider.habits.discovery = {};
  });
});
