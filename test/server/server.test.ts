import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { fastify, type FastifyBaseLogger } from "fastify";
import { Kysely } from "kysely";
import { pino } from "pino";
import { z } from "zod";
import { ExhibitError, type ErrorCode } from "../../src/evidence/errors.ts";
import { parseInvitationCode } from "../../src/evidence/invitation-code.ts";
import { newPrivateJwk, openSealed, sealedSchema, signingKey } from "../../src/evidence/seal.ts";
import { sqliteDialect } from "../../src/platform/sqlite.ts";
import { problemSchema } from "../../src/protocol/problem.ts";
import { serverStatementSchema, serverStatementType } from "../../src/protocol/server-statement.ts";
import { migrate } from "../../src/server/database/migrate.ts";
import type { Tables } from "../../src/server/database/tables.ts";
import { answerWithProblems } from "../../src/server/problems.ts";
import { createServer } from "../../src/server/server.ts";
import { enrolmentAtServers } from "../../src/stores/server/enrolment.ts";
import { accountsOf } from "../../src/stores/server/accounts.ts";
import { startSecondServer } from "../support/second-server.ts";
import { soon, startServer, type TestServer } from "../support/server.ts";

let server: TestServer;

beforeAll(async () => {
  const old = await signingKey(await newPrivateJwk());
  server = await startServer({
    deps: { retiredKeys: [{ ...old, retiredAt: "2026-01-02T03:04:05.000Z" }] },
  });
});

afterAll(async () => {
  await server.stop();
});

describe("the server", () => {
  it("says who it is, signed over the caller's nonce", async () => {
    const nonce = "n0nce-n0nce-n0nce-n0nce";
    const response = await fetch(`${server.url}/v1/server?nonce=${nonce}`);
    const sealed = sealedSchema.parse(await response.json());
    const { key } = server.deps;
    const document = await openSealed(sealed, serverStatementType, key.publicJwk);
    expect(serverStatementSchema.parse(document)).toMatchObject({
      nonce,
      publicUrl: server.url,
      issuer: `${server.url}/oauth`,
      organisation: "Test Police",
      thumbprint: key.thumbprint,
    });
  });

  it.each(["", "?nonce=short", "?nonce=has%20spaces%20in%20it%20all", "?nonce=a&nonce=b"])(
    "signs nothing for a nonce like %j",
    async (query) => {
      const response = await fetch(`${server.url}/v1/server${query}`);
      expect(problemSchema.parse(await response.json())).toMatchObject({
        status: 400,
        code: "usage.invalid",
      });
    },
  );

  it("publishes the key it signs with and those it signed with once", async () => {
    const response = await fetch(`${server.url}/.well-known/exhibit-keys.json`);
    const [retired] = server.deps.retiredKeys;
    expect(await response.json()).toEqual({
      keys: [
        { ...server.deps.key.publicJwk, kid: server.deps.key.thumbprint },
        { ...retired?.publicJwk, kid: retired?.thumbprint, retiredAt: retired?.retiredAt },
      ],
      rotations: [],
    });
  });

  it("is healthy while its database and its content answer, and says 503 when one does not", async () => {
    const other = await startServer();
    const health = async (): Promise<number> => (await fetch(`${other.url}/healthz`)).status;
    expect(await health()).toBe(200);
    const content = path.join(other.folder, "content");
    await rm(content, { recursive: true });
    await writeFile(content, "no folder any more");
    expect(await health()).toBe(503);
    await rm(content);
    await other.restart();
    expect(await health()).toBe(200);
    await other.deps.database.destroy();
    expect(await health()).toBe(503);
    await other.stop();
  });

  it("answers what it does not have, or does not understand, with a problem", async () => {
    const { session } = await server.enrol("admin");
    const authorization = `Bearer ${await session.accessToken(soon())}`;
    const json = { authorization, "content-type": "application/json" };
    const answers: [string, RequestInit, number, ErrorCode][] = [
      ["/nothing/here", {}, 404, "not-found.route"],
      [
        "/v1/invitations/%zz",
        { method: "DELETE", headers: { authorization } },
        400,
        "usage.invalid",
      ],
      ["/v1/invitations", { method: "POST", headers: json, body: "{" }, 400, "usage.invalid"],
      ["/v1/invitations", { method: "POST", headers: json, body: "{}" }, 400, "usage.invalid"],
      [
        "/v1/invitations",
        { method: "POST", headers: { authorization, "content-type": "text/xml" }, body: "<a/>" },
        400,
        "usage.invalid",
      ],
      [
        "/v1/invitations",
        { method: "POST", headers: json, body: `"${"x".repeat(2_000_000)}"` },
        413,
        "policy.too-large",
      ],
      [
        `/v1/identities/${"x".repeat(300)}`,
        { method: "DELETE", headers: { authorization } },
        400,
        "usage.invalid",
      ],
    ];
    for (const [address, init, status, code] of answers) {
      const response = await fetch(`${server.url}${address}`, init);
      expect(response.headers.get("content-type")).toContain("application/problem+json");
      const problem = problemSchema.parse(await response.json());
      expect([address, response.status, problem.code]).toEqual([address, status, code]);
      expect(problem.requestId).toBe(response.headers.get("x-request-id"));
    }
  });

  it("names the field that is wrong", async () => {
    const { session } = await server.enrol("admin");
    const body = { role: "king", organisation: "A", expiresInSeconds: 60 };
    const call = { method: "POST", path: "/v1/invitations", body } as const;
    await expect(session.call(call, soon())).rejects.toMatchObject({
      code: "usage.invalid",
      facts: { field: "role" },
    });
  });

  it("sends no answer that may be stored, framed or sniffed", async () => {
    const { headers } = await fetch(`${server.url}/oauth/.well-known/openid-configuration`);
    expect(Object.fromEntries(headers)).toMatchObject({
      "cache-control": expect.stringContaining("no-store"),
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
  });

  it("builds its addresses from the public URL, whatever host a client names", async () => {
    const response = await fetch(`${server.url}/oauth/.well-known/openid-configuration`, {
      headers: { "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" },
    });
    const text = await response.text();
    expect(text).not.toContain("evil.example");
    expect(JSON.parse(text)).toMatchObject({ token_endpoint: `${server.url}/oauth/token` });
  });

  it("has limits for clients that are slow", async () => {
    const app = await createServer(server.deps, pino({ level: "silent" }));
    const { headersTimeout, requestTimeout, timeout } = app.server;
    await app.close();
    for (const limit of [headersTimeout, requestTimeout, timeout]) {
      expect(limit).toBeGreaterThan(0);
      expect(limit).toBeLessThanOrEqual(30 * 60_000);
    }
  });
});

describe("a failure", () => {
  it.each([
    ["auth.identity-revoked", new ExhibitError("auth.identity-revoked", "m"), 401],
    ["auth.token-invalid", new ExhibitError("auth.token-invalid", "m"), 401],
    ["policy.role", new ExhibitError("policy.role", "m"), 403],
    ["policy.quota", new ExhibitError("policy.quota", "m"), 403],
    ["policy.too-large", new ExhibitError("policy.too-large", "m"), 413],
    ["not-found.exhibit", new ExhibitError("not-found.exhibit", "m"), 404],
    ["conflict.exists", new ExhibitError("conflict.exists", "m"), 409],
    ["integrity.mismatch", new ExhibitError("integrity.mismatch", "m"), 422],
    ["usage.missing", new ExhibitError("usage.missing", "m"), 400],
    ["unavailable.no-space", new ExhibitError("unavailable.no-space", "m"), 507],
    ["unavailable.rate-limited", new ExhibitError("unavailable.rate-limited", "m"), 429],
    ["unavailable.busy", new ExhibitError("unavailable.busy", "m"), 503],
    ["usage.invalid", z.strictObject({}).safeParse({ surplus: 1 }).error ?? new Error(), 400],
    ["unavailable.store", new Error("the caller was Jane Roe on 07700 900123"), 500],
  ] as const)("of code %s", async (code, error, status) => {
    const lines: string[] = [];
    const log: FastifyBaseLogger = pino(
      { level: "trace" },
      { write: (line: string) => void lines.push(line) },
    );
    const app = fastify({ loggerInstance: log });
    answerWithProblems(app);
    app.get("/", () => {
      throw error;
    });
    const response = await app.inject("/");
    await app.close();
    const problem = problemSchema.parse(response.json());
    expect([response.statusCode, problem.status, problem.code]).toEqual([status, status, code]);
    expect(response.headers["retry-after"] === undefined).toBe(status !== 429 && status !== 503);
    expect(response.body + lines.join("")).not.toContain("Jane Roe");
  });
});

describe("the database", () => {
  const open = (folder: string): Kysely<Tables> =>
    new Kysely<Tables>({ dialect: sqliteDialect(path.join(folder, "exhibit.sqlite")) });

  it("that a newer version has used is refused and left alone", async () => {
    const other = await startServer();
    const database = open(other.folder);
    const table = "kysely_migration" as keyof Tables;
    const newer = { name: "9999-later", timestamp: new Date().toISOString() };
    await database.insertInto(table).values(newer).execute();
    const before = await database.introspection.getTables();
    await expect(migrate(database)).rejects.toMatchObject({ code: "conflict.schema-newer" });
    expect(await database.introspection.getTables()).toEqual(before);
    await database.destroy();
    await other.stop();
  });

  it("is made once by two processes that start at the same moment", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "exhibit-two-"));
    const both = await Promise.all([
      startSecondServer(folder, "http://127.0.0.1:1"),
      startSecondServer(folder, "http://127.0.0.1:1"),
    ]);
    for (const { url } of both) expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await Promise.all(both.map((one) => one.stop()));
    await rm(folder, { recursive: true });
  });

  it.each([[true], [Buffer.from("bytes")], [undefined]])(
    "names the mistake when %p is bound, which would end the process",
    async (value) => {
      const query = server.deps.database
        .selectFrom("identities")
        .selectAll()
        .where("id", "=", value as never);
      await expect(query.execute()).rejects.toThrow(/must be text, numbers or null/);
    },
  );
});

describe("the log", () => {
  it("holds a line for each request and nothing that anyone could use or know someone by", async () => {
    const code = await server.invite("admin", { organisation: "Acme Buses" });
    const person = await server.enrol("admin");
    const { session, machine } = person;
    const token = await session.accessToken(soon());
    const admin = accountsOf(session);
    const made = await admin.invite(
      { role: "partner", organisation: "Secret Org", expiresInSeconds: 60, quotaBytes: undefined },
      soon(),
    );
    await enrolmentAtServers(machine).enrol(server.url, made.code, soon());
    const planted = ["sharetoken-0123456789", "07700900123", "query-secret", "CASE~20X"];
    const [share = "", number = "", query = "", key = ""] = planted;
    for (const address of [
      `/s/${share}?code=${query}`,
      `/s/${share}/session`,
      `/v1/content/${key}/ABC_1/${number}.mp4`,
      `/v1/exhibits?case=${number}&q=${query}`,
      `/unknown/${number}?${query}`,
      `/oauth/reg/${query}`,
      `/%zz${number}`,
    ]) {
      await fetch(`${server.url}${address}`, { headers: { authorization: `Bearer ${token}` } });
    }
    await server.restart();

    const log = server.log.join("");
    expect(log).toContain('"route":"/s/:token"');
    expect(log).toContain('"route":"unknown"');
    const kept = z
      .object({ key: z.object({ d: z.string() }), registration: z.object({ token: z.string() }) })
      .parse(JSON.parse(machine.secrets.all().get(`identity:${server.url}`) ?? "{}"));
    const secrets = [
      ...planted,
      "Bearer",
      "Secret Org",
      token,
      kept.key.d,
      kept.registration.token,
      ...[code, made.code].map((one) => parseInvitationCode(one).secret),
    ];
    for (const secret of secrets) expect(log).not.toContain(secret);
  });
});
