import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { decodeJwt, decodeProtectedHeader } from "jose";
import type { Clock } from "../../src/evidence/ports/clock.ts";
import { audienceOf } from "../../src/protocol/server-statement.ts";
import { issuerOf } from "../../src/server/access.ts";
import { accountsOf } from "../../src/stores/server/accounts.ts";
import { enrolmentAtServers } from "../../src/stores/server/enrolment.ts";
import { serverAddress } from "../../src/evidence/web-address.ts";
import { openSession } from "../../src/stores/server/session.ts";
import { enrol, newMachine, soon, startServer, type TestServer } from "../support/server.ts";

const hourMs = 3_600_000;
let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(async () => {
  await server.stop();
});

/** A clock that is wrong by `offsetMs`, which can change. */
function wrongClock(offsetMs: number): Clock & { offsetMs: number } {
  return {
    offsetMs,
    now() {
      return new Date(Date.now() + this.offsetMs);
    },
  };
}

describe("a server's address", () => {
  it.each([
    ["https://Evidence.Example.police.uk/", "https://evidence.example.police.uk"],
    ["https://example.test:8443/exhibit//", "https://example.test:8443/exhibit"],
    ["http://127.0.0.1:4000", "http://127.0.0.1:4000"],
    ["http://localhost:4000/", "http://localhost:4000"],
    ["http://[::1]:4000", "http://[::1]:4000"],
  ])("%s is kept as %s", (text, address) => {
    expect(serverAddress(text)).toBe(address);
  });

  it.each([
    ["http://example.test", "policy.insecure-address"],
    ["http://127.0.0.1.example.test", "policy.insecure-address"],
    ["http://10.0.0.1", "policy.insecure-address"],
    ["ftp://example.test", "usage.invalid"],
    ["https://user:secret@example.test", "usage.invalid"],
    ["https://example.test/?a=b", "usage.invalid"],
    ["https://example.test/#a", "usage.invalid"],
    ["example.test", "usage.invalid"],
  ])("%s is refused: %s", (text, code) => {
    expect(() => serverAddress(text)).toThrow(expect.objectContaining({ code }));
  });
});

describe("a session", () => {
  it("has an access token of ten minutes for this server alone, which it uses again", async () => {
    const { session, identity } = await server.enrol("partner");
    const token = await session.accessToken(soon());
    expect(await session.accessToken(soon())).toBe(token);
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({
      iss: issuerOf(server.url),
      aud: audienceOf(server.url),
      sub: identity.id,
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600);
    expect(decodeProtectedHeader(token)).toMatchObject({
      typ: "at+jwt",
      alg: "EdDSA",
      kid: server.deps.key.thumbprint,
    });
  });

  it("asks for one token when many calls begin at once, and for a new one when it was dropped", async () => {
    const { session } = await server.enrol("partner");
    const all = await Promise.all(Array.from({ length: 8 }, () => session.accessToken(soon())));
    expect(new Set(all).size).toBe(1);
    session.dropToken(all[0] ?? "");
    expect(await session.accessToken(soon())).not.toBe(all[0]);
  });

  it("goes on when whoever asked for the token gave up", async () => {
    const { session } = await server.enrol("partner");
    const gone = new AbortController();
    const first = session.accessToken(gone.signal);
    const second = session.accessToken(soon());
    gone.abort();
    await expect(first).rejects.toThrow();
    expect(await second).toMatch(/^ey/);
  });

  it("outlives a restart of the server", async () => {
    const { session, machine, identity } = await server.enrol("officer");
    await server.restart();
    expect(await accountsOf(session).me(soon())).toEqual(identity);
    const later = await openSession(server.url, machine, soon());
    expect(await accountsOf(later).me(soon())).toEqual(identity);
  });

  it("waits for a server that is just starting, and says so when there is none", async () => {
    const other = await startServer();
    const { session, identity } = await other.enrol("officer");
    await session.accessToken(soon());
    const starting = other.restart();
    expect(await accountsOf(session).me(soon())).toEqual(identity);
    await starting;
    await other.stop();
    await expect(accountsOf(session).me(soon())).rejects.toMatchObject({
      code: "unavailable.store",
      message: expect.stringContaining("could not be reached"),
    });
  }, 40_000);

  it("ends with the identity: the very next request is refused, and so is a new token", async () => {
    const admin = await server.enrol("admin");
    const { session, machine, identity } = await server.enrol("partner");
    await session.accessToken(soon());
    await accountsOf(admin.session).revokeIdentity(identity.id, soon());
    const code = "auth.identity-revoked";
    await expect(accountsOf(session).me(soon())).rejects.toMatchObject({ code });
    const later = await openSession(server.url, machine, soon());
    await expect(later.accessToken(soon())).rejects.toMatchObject({ code });
  });

  it("is refused by a server that lost its accounts, in words that say what to do", async () => {
    const { session, machine } = await server.enrol("partner");
    await server.deps.database
      .deleteFrom("identities")
      .where("id", "=", session.clientId)
      .execute();
    const later = await openSession(server.url, machine, soon());
    await expect(later.accessToken(soon())).rejects.toMatchObject({
      code: "auth.token-invalid",
      hint: expect.stringContaining("login"),
    });
  });

  it("sends nothing secret to a server that has another key", async () => {
    const impostor = await startServer();
    const { machine } = await server.enrol("partner");
    const kept = machine.secrets.all().get(`identity:${server.url}`) ?? "";
    await machine.secrets.set(`identity:${impostor.url}`, kept);
    const code = "auth.server-key-changed";
    await expect(openSession(impostor.url, machine, soon())).rejects.toMatchObject({ code });
    const invitation = await server.invite("officer");
    const enrolment = enrolmentAtServers(newMachine());
    await expect(enrolment.enrol(impostor.url, invitation, soon())).rejects.toMatchObject({ code });
    await expect(enrolmentAtServers(machine).leave(impostor.url, soon())).rejects.toMatchObject({
      code,
    });
    const routes = impostor.log.map((line) => (JSON.parse(line) as { route?: string }).route);
    expect(new Set(routes)).toEqual(
      new Set([undefined, "/v1/server", "/.well-known/exhibit-keys.json"]),
    );
    await impostor.stop();
  });

  it("does not let itself be opened by another address than the server's own", async () => {
    const code = await server.invite("officer");
    const alias = server.url.replace("127.0.0.1", "localhost");
    await expect(enrol(alias, code)).rejects.toMatchObject({
      code: "usage.invalid",
      hint: expect.stringContaining(server.url),
    });
  });
});

describe("a wrong clock", () => {
  it.each([-23, -2, 2, 23])("of %d hours is put right by the server's", async (hours) => {
    const clock = wrongClock(hours * hourMs);
    const { session } = await enrol(server.url, await server.invite("partner"), clock);
    expect(Math.abs(session.clockOffsetMs - hours * hourMs)).toBeLessThan(2000);
    expect((await accountsOf(session).me(soon())).role).toBe("partner");
  });

  it("that is set while a session runs is learned again", async () => {
    const clock = wrongClock(0);
    const { session } = await enrol(server.url, await server.invite("partner"), clock);
    clock.offsetMs = 5 * hourMs;
    expect(await session.accessToken(soon())).toMatch(/^ey/);
    expect(Math.abs(session.clockOffsetMs - 5 * hourMs)).toBeLessThan(2000);
  });

  it.each([
    [-30, "behind"],
    [30, "ahead of"],
  ])(
    "of %d hours is refused, saying by how much, and the invitation stays good",
    async (hours, way) => {
      const code = await server.invite("partner");
      await expect(enrol(server.url, code, wrongClock(hours * hourMs))).rejects.toMatchObject({
        code: "auth.clock-wrong",
        message: expect.stringContaining(`30 hours ${way}`),
      });
      expect((await enrol(server.url, code)).identity.role).toBe("partner");
    },
  );
});
