import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { sha256Of } from "../../../src/evidence/digest.ts";
import { identitySchema } from "../../../src/evidence/identity.ts";
import { parseInvitationCode } from "../../../src/evidence/invitation-code.ts";
import { newPrivateJwk, publicJwkSchema } from "../../../src/evidence/seal.ts";
import {
  createAdminInvitation,
  createFirstInvitation,
  listInvitations,
  makeInvitation,
  revokeInvitation,
} from "../../../src/server/accounts/invitations.ts";
import { accountsOf } from "../../../src/stores/server/accounts.ts";
import { enrolmentAtServers } from "../../../src/stores/server/enrolment.ts";
import { openSession } from "../../../src/stores/server/session.ts";
import { startSecondServer } from "../../support/second-server.ts";
import { enrol, newMachine, soon, startServer, type TestServer } from "../../support/server.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(async () => {
  await server.stop();
});

async function invitationState(code: string): Promise<string | undefined> {
  const { secret } = parseInvitationCode(code);
  expect(server.log.join("")).not.toContain(secret);
  const all = await listInvitations(server.deps);
  const stored = await server.deps.database.selectFrom("invitations").selectAll().execute();
  expect(JSON.stringify(stored)).not.toContain(secret);
  const id = stored.find((row) => row.secret_sha256 === sha256Of(secret))?.id;
  return all.find((one) => one.id === id)?.state;
}

/** Registers by the bare protocol. */
async function registerRaw(code: string, metadata: object, url = server.url) {
  const response = await fetch(`${url}/oauth/reg`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${parseInvitationCode(code).secret}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(metadata),
    signal: soon(),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function newPublicKey(): Promise<JWK> {
  return publicJwkSchema.strip().parse(await newPrivateJwk());
}

function wellFormed(...keys: JWK[]) {
  return {
    token_endpoint_auth_method: "private_key_jwt",
    grant_types: ["client_credentials"],
    response_types: [],
    redirect_uris: [],
    jwks: { keys },
  };
}

describe("an invitation", () => {
  it("enrols one key with its role, organisation and quota", async () => {
    const code = await server.invite("partner", { organisation: "Büs & Co", quotaBytes: 1000 });
    const { identity, session } = await enrol(server.url, code);
    expect(identity).toEqual(await accountsOf(session).me(soon()));
    expect(identity).toMatchObject({
      role: "partner",
      organisation: "Büs & Co",
      quotaBytes: 1000,
      usedBytes: 0,
      enrolledBy: "invitation",
      keyThumbprint: session.signer.thumbprint,
    });
    expect(await invitationState(code)).toBe("used");
  });

  it.each([
    ["used", "auth.invitation-used"],
    ["revoked", "auth.invitation-revoked"],
    ["expired", "auth.invitation-expired"],
    ["unknown", "auth.invitation-unknown"],
    ["mistyped", "auth.invitation-mistyped"],
  ])("that is %s is refused as such, and nothing is kept", async (state, code) => {
    const { deps } = server;
    const request = {
      role: "officer",
      organisation: "X",
      expiresInSeconds: 60,
      quotaBytes: undefined,
    } as const;
    const past = { now: () => new Date(Date.now() - 3_600_000) };
    const { invitation, code: good } = await makeInvitation(
      state === "expired" ? { ...deps, clock: past } : deps,
      request,
      null,
    );
    let shown = good;
    if (state === "used") await enrol(server.url, good);
    if (state === "revoked") await revokeInvitation(deps, invitation.id);
    if (state === "unknown")
      await deps.database.deleteFrom("invitations").where("id", "=", invitation.id).execute();
    if (state === "mistyped") shown = good.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    const machine = newMachine();
    await expect(
      enrolmentAtServers(machine).enrol(server.url, shown, soon()),
    ).rejects.toMatchObject({ code });
    expect(machine.secrets.all().size).toBe(0);
  });

  it("goes to exactly one of twenty that race for it at two processes on one database", async () => {
    const other = await startSecondServer(server.folder, server.url);
    const code = await server.invite("partner");
    const keys = await Promise.all(Array.from({ length: 20 }, newPublicKey));
    const answers = await Promise.all(
      keys.map((key, index) =>
        registerRaw(code, wellFormed(key), index % 2 === 0 ? server.url : other.url),
      ),
    );
    await other.stop();
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ body }) => body["code"] === "auth.invitation-used")).toHaveLength(19);
  });

  it("gives the same key the same identity again when the answer was lost, and no other key", async () => {
    const code = await server.invite("partner");
    const key = await newPublicKey();
    const [first, second] = [
      await registerRaw(code, wellFormed(key)),
      await registerRaw(code, wellFormed(key)),
    ];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body["client_id"]).toBe(first.body["client_id"]);
    const stranger = await registerRaw(code, wellFormed(await newPublicKey()));
    expect(stranger.body["code"]).toBe("auth.invitation-used");
  });

  it.each([
    ["another way to prove oneself", { token_endpoint_auth_method: "client_secret_basic" }],
    ["no proof at all", { token_endpoint_auth_method: "none" }],
    ["another grant", { grant_types: ["authorization_code"] }],
    ["one grant more", { grant_types: ["client_credentials", "refresh_token"] }],
    ["no key", { jwks: { keys: [] } }],
    ["a key elsewhere", { jwks: undefined, jwks_uri: "https://example.test/jwks" }],
  ])("is not spent on a registration with %s", async (_what, change) => {
    const code = await server.invite("partner");
    const answer = await registerRaw(code, { ...wellFormed(await newPublicKey()), ...change });
    expect([answer.status, answer.body["error"]]).toEqual([400, "invalid_client_metadata"]);
    expect(await invitationState(code)).toBe("open");
  });

  it("is not spent on a key of another kind, nor on two keys", async () => {
    const code = await server.invite("partner");
    const { publicKey } = await generateKeyPair("RS256");
    const rsa = await registerRaw(code, wellFormed(await exportJWK(publicKey)));
    const two = await registerRaw(code, wellFormed(await newPublicKey(), await newPublicKey()));
    expect([rsa.status, two.status]).toEqual([400, 400]);
    expect(await invitationState(code)).toBe("open");
  });

  it("cannot give itself a role or a name by what is registered", async () => {
    const code = await server.invite("partner");
    const { body } = await registerRaw(code, {
      ...wellFormed(await newPublicKey()),
      client_id: "chosen",
      scope: "admin",
      role: "admin",
    });
    expect(body["client_id"]).toMatch(/^i[0-9a-z]{26}$/);
    expect(body["scope"]).toBe("exhibit");
    const row = await server.deps.database
      .selectFrom("identities")
      .selectAll()
      .where("id", "=", String(body["client_id"]))
      .executeTakeFirstOrThrow();
    expect(row.role).toBe("partner");
  });

  it("is not spent when this machine cannot keep secrets", async () => {
    const code = await server.invite("partner");
    const machine = newMachine();
    const forgetful = { ...machine.secrets, get: () => Promise.resolve(undefined) };
    await expect(
      enrolmentAtServers({ ...machine, secrets: forgetful }).enrol(server.url, code, soon()),
    ).rejects.toMatchObject({ code: "auth.no-keychain" });
    expect(await invitationState(code)).toBe("open");
  });
});

describe("the operator's invitation", () => {
  it("is made once, again when it was lost, and the lost one is worth nothing then", async () => {
    const fresh = await startServer();
    const first = await createFirstInvitation(fresh.deps);
    expect(first).toBeDefined();
    expect(await createFirstInvitation(fresh.deps)).toBeUndefined();
    const second = await createAdminInvitation(fresh.deps);
    await expect(enrol(fresh.url, first ?? "")).rejects.toMatchObject({
      code: "auth.invitation-revoked",
    });
    const admin = await enrol(fresh.url, second);
    expect(identitySchema.parse(admin.identity).role).toBe("admin");
    expect(await createFirstInvitation(fresh.deps)).toBeUndefined();
    await fresh.stop();
  });
});

describe("logging out", () => {
  it("ends the identity at the server, keeps its row, and takes the key from this machine", async () => {
    const { machine, identity, session } = await server.enrol("officer");
    const token = await session.accessToken(soon());
    expect(await enrolmentAtServers(machine).leave(server.url, soon())).toBe("ended");
    expect(machine.secrets.all().size).toBe(0);
    const answer = await fetch(`${server.url}/v1/identities/me`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect([answer.status, await answer.json()]).toMatchObject([
      401,
      { code: "auth.identity-revoked" },
    ]);
    const rows = await server.deps.database.selectFrom("identities").selectAll().execute();
    expect(rows.find((row) => row.id === identity.id)?.revoked_at).toEqual(expect.any(String));
    expect(await enrolmentAtServers(machine).leave(server.url, soon())).toBe("none");
    await expect(openSession(server.url, machine, soon())).rejects.toMatchObject({
      code: "auth.required",
    });
  });

  it("works for an identity that was revoked meanwhile", async () => {
    const admin = await server.enrol("admin");
    const { machine, identity } = await server.enrol("officer");
    await accountsOf(admin.session).revokeIdentity(identity.id, soon());
    expect(await enrolmentAtServers(machine).leave(server.url, soon())).toBe("ended");
    expect(machine.secrets.all().size).toBe(0);
  });

  it("happens by itself to the identity that a new enrolment on this machine replaces", async () => {
    const { machine, identity } = await server.enrol("officer");
    const again = await server.invite("partner");
    await enrolmentAtServers(machine).enrol(server.url, again, soon());
    const now = await accountsOf(await openSession(server.url, machine, soon())).me(soon());
    expect(now.role).toBe("partner");
    const rows = await server.deps.database.selectFrom("identities").selectAll().execute();
    expect(rows.find((row) => row.id === identity.id)?.revoked_at).toEqual(expect.any(String));
  });
});
