import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { SignJWT, type JWTPayload } from "jose";
import { newPrivateJwk, signingKey, type SigningKey } from "../../../src/evidence/seal.ts";
import { issuerOf } from "../../../src/server/access.ts";
import { chargeQuota, refundQuota } from "../../../src/server/accounts/quota.ts";
import { accountsOf } from "../../../src/stores/server/accounts.ts";
import { enrol, soon, startServer, type TestServer } from "../../support/server.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(async () => {
  await server.stop();
});

describe("a client's assertion", () => {
  let key: SigningKey;
  let id: string;
  let used = 0;

  beforeAll(async () => {
    const { session } = await server.enrol("partner");
    key = session.signer;
    id = session.clientId;
  });

  const now = (): number => Math.floor(Date.now() / 1000);
  const claims = (change: JWTPayload = {}): JWTPayload => ({
    iss: id,
    sub: id,
    aud: issuerOf(server.url),
    iat: now(),
    exp: now() + 60,
    jti: `assertion-${(used += 1)}`,
    ...change,
  });
  const sign = (payload: JWTPayload, signer = key): Promise<string> =>
    new SignJWT(payload).setProtectedHeader({ alg: "Ed25519" }).sign(signer.privateKey);

  async function ask(assertion: string, change: Record<string, string> = {}) {
    const response = await fetch(`${server.url}/oauth/token`, {
      method: "POST",
      headers: { accept: "application/json" },
      body: new URLSearchParams({
        grant_type: "client_credentials",
        scope: "exhibit",
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: assertion,
        ...change,
      }),
      signal: soon(),
    });
    const body = (await response.json()) as Record<string, unknown>;
    return [response.status, body["code"] ?? body["error"] ?? "granted"];
  }

  it("is taken once, even when it comes ten times at the same moment", async () => {
    const assertion = await sign(claims());
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(assertion)));
    expect(answers.filter(([status]) => status === 200)).toHaveLength(1);
    expect(await ask(assertion)).toEqual([401, "invalid_client"]);
  });

  it("made up to a minute from now is taken", async () => {
    for (const seconds of [-50, 50]) {
      const times = { iat: now() + seconds, exp: now() + seconds + 60 };
      expect(await ask(await sign(claims(times)))).toEqual([200, "granted"]);
    }
  });

  it.each([
    ["made an hour ago", { iat: now() - 3600, exp: now() - 3540 }, "auth.clock-wrong"],
    ["made in an hour", { iat: now() + 3600, exp: now() + 3660 }, "auth.clock-wrong"],
    ["that lives for an hour", { exp: now() + 3600 }, "invalid_client"],
    ["without a time", { iat: undefined }, "invalid_client"],
    ["without an end", { exp: undefined }, "invalid_client"],
    ["without an id", { jti: undefined }, "invalid_client"],
    ["for another server", { aud: "https://example.test/oauth" }, "invalid_client"],
    ["of an unknown identity", { iss: "inobody", sub: "inobody" }, "invalid_client"],
  ])("%s is refused", async (_what, change, code) => {
    expect(await ask(await sign(claims(change as JWTPayload)))).toEqual([401, code]);
  });

  it("by another key, for another resource or another grant is refused", async () => {
    const stranger = await signingKey(await newPrivateJwk());
    expect(await ask(await sign(claims(), stranger))).toEqual([401, "invalid_client"]);
    const resource = { resource: "https://example.test/v1" };
    expect(await ask(await sign(claims()), resource)).toEqual([400, "invalid_target"]);
    const grant = { grant_type: "refresh_token" };
    expect(await ask(await sign(claims()), grant)).toEqual([400, "unsupported_grant_type"]);
  });
});

describe("people", () => {
  it("are invited, listed and revoked by an admin", async () => {
    const admin = accountsOf((await server.enrol("admin")).session);
    const request = {
      role: "officer",
      organisation: "Traffic",
      expiresInSeconds: 3600,
      quotaBytes: 5,
    } as const;
    const { invitation, code } = await admin.invite(request, soon());
    expect(invitation).toMatchObject({ role: "officer", organisation: "Traffic", state: "open" });
    const { identity } = await enrol(server.url, code);
    expect(await admin.identities(soon())).toContainEqual(identity);
    await admin.revokeIdentity(identity.id, soon());
    await admin.revokeIdentity(identity.id, soon());
    const listed = (await admin.identities(soon())).find(({ id }) => id === identity.id);
    expect(listed?.revokedAt).toEqual(expect.any(String));

    const open = await admin.invite(request, soon());
    await admin.revokeInvitation(open.invitation.id, soon());
    await admin.revokeInvitation(open.invitation.id, soon());
    const states = new Map((await admin.invitations(soon())).map(({ id, state }) => [id, state]));
    expect(states.get(open.invitation.id)).toBe("revoked");
    expect(states.get(invitation.id)).toBe("used");
    await expect(admin.revokeInvitation(invitation.id, soon())).rejects.toMatchObject({
      code: "usage.invalid",
      hint: expect.stringContaining("identity revoke"),
    });
  });

  it.each([
    ["an unknown identity", "revokeIdentity", "not-found.identity"],
    ["an unknown invitation", "revokeInvitation", "not-found.invitation"],
  ] as const)("%s cannot be revoked", async (_what, revoke, code) => {
    const admin = accountsOf((await server.enrol("admin")).session);
    await expect(admin[revoke]("nothing/../here", soon())).rejects.toMatchObject({ code });
  });

  it("always have one admin", async () => {
    const other = await startServer();
    const first = await other.enrol("admin");
    const admin = accountsOf(first.session);
    await expect(admin.revokeIdentity(first.identity.id, soon())).rejects.toMatchObject({
      code: "usage.invalid",
      message: expect.stringContaining("last administrator"),
    });
    const second = await other.enrol("admin");
    await accountsOf(second.session).revokeIdentity(first.identity.id, soon());
    await expect(admin.me(soon())).rejects.toMatchObject({ code: "auth.identity-revoked" });
    await other.stop();
  });

  it("cannot take more than their quota between them, however they race", async () => {
    const { identity } = await server.enrol("partner", { quotaBytes: 1000 });
    const { database } = server.deps;
    const charges = await Promise.allSettled(
      Array.from({ length: 15 }, () => chargeQuota(database, identity.id, 100)),
    );
    expect(charges.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    await expect(chargeQuota(database, identity.id, 1)).rejects.toMatchObject({
      code: "policy.quota",
      facts: { bytes: 1, quotaBytes: 1000, usedBytes: 1000 },
    });
    await refundQuota(database, identity.id, 300);
    await chargeQuota(database, identity.id, 300);
  });
});
