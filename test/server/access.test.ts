import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { fastify } from "fastify";
import { SignJWT, UnsecuredJWT, type JWTPayload } from "jose";
import { pino } from "pino";
import { newPrivateJwk, signingKey, type SigningKey } from "../../src/evidence/seal.ts";
import { revokeIdentity } from "../../src/server/accounts/identities.ts";
import { guardRoutes, issuerOf, type Access } from "../../src/server/access.ts";
import { createServer } from "../../src/server/server.ts";
import { audienceOf } from "../../src/protocol/server-statement.ts";
import { soon, startServer, type TestServer } from "../support/server.ts";

const everyone = ["admin", "officer", "partner"] as const;
const staff = ["admin", "officer"] as const;
const admins = ["admin"] as const;

/** Who may call what. A route that is not in here, or not as it says here, fails. */
const table: Record<string, Access> = {
  "GET /v1/server": "public",
  "GET /.well-known/exhibit-keys.json": "public",
  "GET /healthz": "public",
  "GET /oauth/.well-known/openid-configuration": "public",
  "GET /oauth/jwks": "public",
  "POST /oauth/token": "public",
  "POST /oauth/reg": "public",
  "GET /oauth/reg/:clientId": "public",
  "DELETE /oauth/reg/:clientId": "public",
  "POST /v1/invitations": admins,
  "GET /v1/invitations": admins,
  "DELETE /v1/invitations/:id": admins,
  "GET /v1/identities": admins,
  "POST /v1/identities": admins,
  "GET /v1/identities/report": admins,
  "GET /v1/identities/me": everyone,
  "DELETE /v1/identities/me": everyone,
  "POST /v1/identities/me/keys": everyone,
  "DELETE /v1/identities/me/keys/:thumbprint": everyone,
  "POST /v1/identities/:id/restore": admins,
  "DELETE /v1/identities/:id": admins,
  "POST /v1/exhibits": everyone,
  "POST /v1/exhibits/lookup": everyone,
  "POST /v1/exhibits/reservations": everyone,
  "POST /v1/bundles": everyone,
  "GET /v1/exhibits": everyone,
  "GET /v1/exhibits/:id": everyone,
  "PUT /v1/exhibits/:id/record": everyone,
  "GET /v1/exhibits/:id/custody": everyone,
  "GET /v1/cases/exhibits": staff,
  "GET /v1/cases/shares": staff,
  "GET /v1/inbox": staff,
  "GET /v1/inbox/events": staff,
  "POST /v1/inbox/seen": staff,
  "GET /v1/inbox/cases": staff,
  "POST /v1/inbox/cases": staff,
  "POST /v1/smoke": everyone,
  "DELETE /v1/smoke/:id": everyone,
  "POST /v1/uploads": everyone,
  "GET /v1/uploads": everyone,
  "GET /v1/uploads/:id": everyone,
  "DELETE /v1/uploads/:id": everyone,
  "PUT /v1/uploads/:id/parts/:offset": everyone,
  "POST /v1/uploads/:id/part-addresses": everyone,
  "POST /v1/uploads/:id/complete": everyone,
  "GET /v1/content": everyone,
  "GET /v1/content/*": everyone,
  "PUT /v1/content/*": everyone,
  "POST /v1/shares": staff,
  "GET /v1/shares": staff,
  "GET /v1/shares/:id": staff,
  "GET /v1/shares/:id/log": staff,
  "POST /v1/shares/:id/reassign": admins,
  "POST /v1/shares/:id/renew": staff,
  "POST /v1/shares/:id/revoke": staff,
  "POST /v1/shares/:id/update": staff,
  "GET /s/assets/page.css": "public",
  "GET /s/assets/page.js": "public",
  "GET /s/assets/icon.svg": "public",
  "GET /s/assets/hls.js": "public",
  // A recipient has no account: these are guarded by the share's own session.
  "GET /s/:token": "public",
  "POST /s/:token": "public",
  "GET /s/:token/session": "public",
  "GET /s/:token/events": "public",
  "GET /s/:token/x/:exhibit/record.json": "public",
  "GET /s/:token/x/:exhibit/receipt.json": "public",
  "GET /s/:token/x/:exhibit/:ordinal/video.m3u8": "public",
  "GET /s/:token/x/:exhibit/:ordinal/segment/:index": "public",
  "GET /s/:token/x/:exhibit/:ordinal/picture.jpg": "public",
  "GET /s/:token/x/:exhibit/:ordinal/recording.mp3": "public",
  "GET /s/:token/x/:exhibit/:ordinal/document.pdf": "public",
  "GET /s/:token/x/:exhibit/:ordinal/original": "public",
  "POST /s/:token/x/:exhibit/:ordinal/notes": "public",
};

let server: TestServer;
const tokens = new Map<string, string>();

beforeAll(async () => {
  server = await startServer();
  const { publicUrl } = server.deps.settings;
  for (const role of everyone) {
    const person = await server.enrol(role);
    tokens.set(role, await person.session.accessToken(soon()));
  }
  const gone = await server.enrol("admin");
  tokens.set("revoked", await gone.session.accessToken(soon()));
  await revokeIdentity(server.deps.database, gone.identity.id, new Date());

  const { identity } = await server.enrol("admin");
  const now = Math.floor(Date.now() / 1000);
  const good = {
    sub: identity.id,
    iss: issuerOf(publicUrl),
    aud: audienceOf(publicUrl),
    iat: now,
    exp: now + 60,
  };
  const { key } = server.deps;
  tokens.set("well made", await sign(good, key));
  tokens.set("expired", await sign({ ...good, iat: now - 700, exp: now - 60 }, key));
  tokens.set("another audience", await sign({ ...good, aud: "http://127.0.0.1:1/v1" }, key));
  tokens.set("another issuer", await sign({ ...good, iss: "http://127.0.0.1:1/oauth" }, key));
  tokens.set("another server", await sign(good, await signingKey(await newPrivateJwk())));
  tokens.set("nobody", await sign({ ...good, sub: "i00000000000000000000000000" }, key));
  const { sub, iss, aud, iat } = good;
  tokens.set("no end", await sign({ sub, iss, aud, iat }, key));
  tokens.set("another kind", await sign(good, key, "JWT"));
  tokens.set("alg none", new UnsecuredJWT(good).encode());
  tokens.set("garbage", "garbage");
});

afterAll(async () => {
  await server.stop();
});

function sign(claims: JWTPayload, key: SigningKey, typ = "at+jwt"): Promise<string> {
  const header = { alg: "EdDSA", typ, kid: key.thumbprint };
  return new SignJWT(claims).setProtectedHeader(header).sign(key.privateKey);
}

async function call(route: string, bearer: string | undefined): Promise<[number, string]> {
  const [method = "", pattern = ""] = route.split(" ");
  const address = pattern.replace("*", "AB/ABC_1/ABC_1-0001.mp4").replace(/:[a-zA-Z]+/g, "0");
  const token = bearer === undefined ? undefined : (tokens.get(bearer) ?? "");
  const response = await fetch(`${server.url}${address}`, {
    method,
    signal: soon(),
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  });
  const body = (await response.json().catch(() => ({}))) as { code?: string };
  return [response.status, body.code ?? ""];
}

const guarded = Object.entries(table).flatMap(([route, access]) =>
  access === "public" ? [] : [{ route, roles: access }],
);

describe("access", () => {
  it("is declared for every route as the table says", async () => {
    const app = await createServer(server.deps, pino({ level: "silent" }));
    const routes = routesOf(app.printRoutes({ commonPrefix: false }));
    await app.close();
    expect(routes).toEqual(Object.keys(table).sort());
  });

  it("stops a server from starting whose route does not declare it", async () => {
    const app = fastify();
    await guardRoutes(app, server.deps);
    expect(() => app.get("/forgotten", () => "open to all")).toThrow(/who may call/);
    await app.close();
  });

  it.each(guarded)("opens $route to $roles only", async ({ route, roles }) => {
    for (const role of everyone) {
      const [status, code] = await call(route, role);
      if (roles.includes(role)) expect(code).not.toMatch(/^(auth|policy\.role)/);
      else expect([role, status, code]).toEqual([role, 403, "policy.role"]);
    }
    expect(await call(route, undefined)).toEqual([401, "auth.required"]);
    expect(await call(route, "revoked")).toEqual([401, "auth.identity-revoked"]);
    for (const wrong of [
      "expired",
      "another audience",
      "another issuer",
      "another server",
      "nobody",
      "no end",
      "another kind",
      "alg none",
      "garbage",
    ]) {
      expect([wrong, ...(await call(route, wrong))]).toEqual([wrong, 401, "auth.token-invalid"]);
    }
  });

  it("takes a token that is made as the wrong ones are, but right", async () => {
    expect(await call("GET /v1/identities/me", "well made")).toEqual([200, ""]);
  });
});

/** `METHOD /path` of every route in Fastify's drawing of them; HEAD goes with GET. */
function routesOf(drawing: string): string[] {
  const routes: string[] = [];
  const path: string[] = [];
  for (const line of drawing.split("\n")) {
    const match = /^((?:│ {3}| {4})*)[├└]── (\S+)(?: \((.*)\))?$/.exec(line);
    if (match === null) continue;
    const [, indent = "", segment = "", methods = ""] = match;
    path.length = indent.length / 4;
    path.push(segment);
    for (const method of methods.split(", ").filter((one) => one !== "" && one !== "HEAD")) {
      routes.push(`${method} ${path.join("").replace("content*", "content/*")}`);
    }
  }
  return routes.sort();
}
