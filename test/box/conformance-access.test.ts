import { createHash, createPrivateKey, randomBytes, randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { SignJWT } from "jose";
import { Asking, expectRefused } from "../support/box/asking.ts";
import { startBox, type Box } from "../support/box/box.ts";

// What Box refuses, the simulated one refuses too: a client that only a lax server would put up with is found out.

let box: Box;
let officer: Asking;

beforeAll(async () => {
  box = await startBox({ settings: { minimumSessionBytes: 1000 } });
  officer = new Asking(box, box.users.officer);
});
afterAll(() => box.close());
afterEach(() => {
  expect(box.unsound).toEqual([]);
  box.violations.length = 0;
});

describe("origins and tokens", () => {
  test("API, uploads, sessions, downloads and sign-in are at five origins", async () => {
    const urls = [box.apiUrl, box.uploadUrl, box.sessionUrl, box.downloadUrl, box.authorizeUrl];
    expect(new Set(urls).size).toBe(5);
    const session = await officer.session("origins.bin", 2000);
    expect(session.part).toMatch(new RegExp(`^${box.sessionUrl}/api/2\\.0/`));
    const path = `/files/upload_sessions/${session.id}`;
    expectRefused(await officer.upload("GET", path), 404, "not_found");
    expectRefused(await officer.api("POST", "/files/upload_sessions", { json: {} }), 405);
    expect((await officer.at(session.part, "GET")).status).toBe(200);
  });

  test("a token that is none, too old or revoked is refused with nothing but a header", async () => {
    const gone = officer.as(box.users.officer);
    const check = async (asking: Asking) => {
      const said = await asking.api("GET", "/users/me");
      expect(said).toMatchObject({ status: 401, text: "" });
      expect(said.headers.get("www-authenticate")).toMatch(/^Bearer .*error="invalid_token"/);
    };
    await check(officer.with("nothing"));
    await box.clock.later(box.settings.accessTokenSeconds * 1000 + 1, () => check(gone));
    const partner = officer.as(box.users.partner);
    expect((await partner.grant({ token: partner.token }, "revoke")).status).toBe(200);
    await check(partner);
  });

  test("a refresh token is good once, of more than two logins the last two stay", async () => {
    const login = async () => {
      const page = new URLSearchParams({
        response_type: "code",
        client_id: box.app.clientId,
        redirect_uri: "http://127.0.0.1:4321/back",
        state: "s",
        action: "approve",
      });
      const url = `${box.authorizeUrl}/api/oauth2/authorize`;
      const approved = await officer.at(url, "POST", { body: page });
      const back = new URL(approved.headers.get("location") ?? "");
      expect(back.searchParams.get("state")).toBe("s");
      const form = { grant_type: "authorization_code", code: back.searchParams.get("code") ?? "" };
      const granted = await officer.grant(form);
      expect(granted.status).toBe(200);
      expect(await officer.grant(form)).toMatchObject({ json: { error: "invalid_grant" } });
      return String(granted.json["refresh_token"]);
    };
    const refresh = (token: string) =>
      officer.grant({ grant_type: "refresh_token", refresh_token: token });
    const [first, second, third] = [await login(), await login(), await login()];
    expect(await refresh(first)).toMatchObject({ status: 400, json: { error: "invalid_grant" } });
    const renewed = await refresh(second);
    expect(renewed.status).toBe(200);
    expect(await refresh(second)).toMatchObject({ status: 400, json: { error: "invalid_grant" } });
    expect((await refresh(third)).status).toBe(200);
    expect((await refresh(String(renewed.json["refresh_token"]))).status).toBe(200);
  });

  test("a code lives for half a minute, and goes only where the application is", async () => {
    const { tokens, people } = box.world;
    const code = tokens.issueCode({
      user: people.officer,
      redirectUri: undefined,
      challenge: undefined,
    });
    const form = { grant_type: "authorization_code", code };
    await box.clock.later(30_001, async () => {
      expect(await officer.grant(form)).toMatchObject({ json: { error: "invalid_grant" } });
    });
    const url = new URL(`${box.authorizeUrl}/api/oauth2/authorize`);
    url.search = new URLSearchParams({
      response_type: "code",
      client_id: box.app.clientId,
      redirect_uri: "https://elsewhere.example/",
    }).toString();
    const elsewhere = await officer.at(url.href, "GET");
    expect(elsewhere).toMatchObject({ status: 400, json: { error: "redirect_uri_mismatch" } });
  });

  test.each([
    ["another secret", { client_secret: "x" }, "invalid_client"],
    ["another enterprise", { box_subject_id: "1" }, "invalid_grant"],
    ["another grant", { grant_type: "password" }, "unsupported_grant_type"],
  ])("credentials with %s are refused", async (_, wrong, error) => {
    const form = {
      grant_type: "client_credentials",
      box_subject_type: "enterprise",
      box_subject_id: box.enterpriseId,
    };
    expect((await officer.grant(form)).status).toBe(200);
    expect(await officer.grant({ ...form, ...wrong })).toMatchObject({
      status: 400,
      json: { error },
    });
  });

  test("an assertion is the application's, for a minute, and once", async () => {
    const { jwt, clientId } = box.app;
    const key = createPrivateKey(jwt.privateKey);
    const now = Math.floor(box.clock.now().getTime() / 1000);
    const assert = async (wrong: {
      seconds?: number;
      jti?: string;
      kid?: string;
      iss?: string;
    }) => {
      const { seconds = 45, jti = randomUUID(), kid = jwt.keyId, iss = clientId } = wrong;
      const assertion = await new SignJWT({ box_sub_type: "enterprise" })
        .setProtectedHeader({ alg: "RS256", kid })
        .setIssuer(iss)
        .setSubject(box.enterpriseId)
        .setAudience("https://api.box.com/oauth2/token")
        .setJti(jti)
        .setExpirationTime(now + seconds)
        .sign(key);
      const grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
      return officer.grant({ grant_type, assertion });
    };
    const jti = randomUUID();
    expect(await assert({ jti })).toMatchObject({ status: 200, json: { token_type: "bearer" } });
    const refused = { status: 400, json: { error: "invalid_grant" } };
    for (const wrong of [{ jti }, { jti: "short" }, { seconds: 90 }, { seconds: -5 }]) {
      expect(await assert(wrong)).toMatchObject(refused);
    }
    expect(await assert({ kid: "other" })).toMatchObject(refused);
    expect(await assert({ iss: "other" })).toMatchObject(refused);
  });

  test("a code with a challenge is only for who knows what it was made of", async () => {
    const verifier = randomBytes(48).toString("base64url");
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const grant = (code_verifier: string) => {
      const code = box.world.tokens.issueCode({
        user: box.users.officer,
        redirectUri: undefined,
        challenge,
      });
      return officer.grant({ grant_type: "authorization_code", code, code_verifier });
    };
    expect((await grant(verifier)).status).toBe(200);
    const wrong = await grant(`${verifier}x`);
    expect(wrong).toMatchObject({ status: 400, json: { error: "invalid_grant" } });
  });

  test("a downscoped token does one thing in one place", async () => {
    const inside = box.folder(box.users.officer, "Inside");
    const exchange = await officer.grant({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: officer.token,
      subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
      scope: "base_upload",
      resource: `https://api.box.com/2.0/folders/${inside}`,
    });
    const kiosk = officer.with(String(exchange.json["access_token"]));
    const id = await kiosk.file("kiosk.bin", "abc", inside);
    await expect(kiosk.file("kiosk.bin")).rejects.toThrow("insufficient_scope");
    expectRefused(await kiosk.api("GET", `/files/${id}`), 403, "insufficient_scope");
    expectRefused(await kiosk.api("DELETE", `/files/${id}`), 403, "insufficient_scope");
  });

  test("only administrators and the application itself act as others", async () => {
    const me = async (asking: Asking) =>
      asking.api("GET", "/users/me", { headers: { "as-user": box.users.officer.id } });
    expect(await me(officer.as(box.users.admin))).toMatchObject({
      json: { login: box.users.officer.login },
    });
    expect((await me(officer.as(box.users.service))).status).toBe(200);
    const other = box.addUser({ name: "O", login: "o@force.example" });
    expectRefused(await me(officer.as(other)), 403);
  });

  test("another version of the API is refused", async () => {
    const headers = { "box-version": "2031.0" };
    expectRefused(await officer.api("GET", "/users/me", { headers }), 400, "invalid_api_version");
  });
});

describe("roles", () => {
  const canDo = {
    uploader: { list: false, read: false, download: false, upload: true, remove: false },
    previewer: { list: true, read: true, download: false, upload: false, remove: false },
    viewer: { list: true, read: true, download: true, upload: false, remove: false },
    "viewer uploader": { list: true, read: true, download: true, upload: true, remove: false },
    editor: { list: true, read: true, download: true, upload: true, remove: true },
  };

  test.each(Object.entries(canDo))("%s", async (role, can) => {
    const folder = box.folder(box.users.officer, `For a ${role}`);
    const id = await officer.file("secret.bin", "abc", folder);
    const partner = officer.as(box.users.partner);
    expectRefused(await partner.api("GET", `/folders/${folder}`), 404, "not_found");
    const json = {
      item: { type: "folder", id: folder },
      accessible_by: { type: "user", login: box.users.partner.login },
      role,
    };
    expect((await officer.api("POST", "/collaborations", { json })).status).toBe(201);
    expectRefused(
      await officer.api("POST", "/collaborations", { json }),
      400,
      "user_already_collaborator",
    );
    const items = await partner.api("GET", `/folders/${folder}/items`);
    expect(items).toMatchObject({ status: 200, json: { total_count: can.list ? 1 : 0 } });
    const read = await partner.api("GET", `/files/${id}`);
    expect(read.status).toBe(can.read ? 200 : 404);
    const downloaded = await partner.api("GET", `/files/${id}/content`);
    expect(downloaded.status).toBe(can.download ? 302 : can.read ? 403 : 404);
    const uploaded = partner.file("theirs.bin", "abc", folder);
    await (can.upload
      ? expect(uploaded).resolves.toMatch(/^\d+$/)
      : expect(uploaded).rejects.toThrow("access_denied_insufficient_permissions"));
    const removed = await partner.api("DELETE", `/files/${id}`);
    expect(removed.status).toBe(can.remove ? 204 : can.read ? 403 : 404);
    const root = await partner.api("GET", "/folders/0/items");
    expect(root.text).toContain(`For a ${role}`);
  });

  test("a collaboration ends when it is told to, where the enterprise lets it", async () => {
    const folder = box.folder(box.users.officer, "For a day");
    const day = new Date(box.clock.now().getTime() + 86_400_000).toISOString();
    const json = {
      item: { type: "folder", id: folder },
      accessible_by: { type: "user", id: box.users.partner.id },
      role: "viewer",
      expires_at: day,
    };
    box.settings.collaborationExpiry = false;
    expectRefused(await officer.api("POST", "/collaborations", { json }), 403);
    box.settings.collaborationExpiry = true;
    expect((await officer.api("POST", "/collaborations", { json })).status).toBe(201);
    await box.clock.later(86_400_001, async () => {
      const partner = officer.as(box.users.partner);
      expectRefused(await partner.api("GET", `/folders/${folder}`), 404);
    });
  });

  test("somebody without an account is invited, and waited for", async () => {
    const folder = box.folder(box.users.officer, "For nobody yet");
    const json = {
      item: { type: "folder", id: folder },
      accessible_by: { type: "user", login: "new@court.example" },
      role: "viewer",
    };
    expect(await officer.api("POST", "/collaborations", { json })).toMatchObject({
      status: 201,
      json: { status: "pending", invite_email: "new@court.example", accessible_by: null },
    });
  });
});

describe("Box's document", () => {
  test("finds what does not fit, and whose it is", async () => {
    const headers = { "user-agent": "exhibit/0.0.0" };
    const json = { name: 7, colour: "red", parent: { id: "0" } };
    await officer.api("POST", "/folders?odd=1", { json, headers });
    await officer.api("GET", "/folders/0/items?limit=many", { headers });
    await officer.api("GET", "/folders/0/items?odd=1");
    expect(box.ourViolations.map(({ operation, what }) => `${operation}: ${what}`)).toEqual([
      'post_folders: query has "odd", which is not known',
      "post_folders: body/name must be string",
      expect.stringContaining("colour"),
      "get_folders_id_items: query limit must be integer",
    ]);
    expect(box.violations).toHaveLength(box.ourViolations.length + 1);
  });

  test("finds an answer that does not fit", async () => {
    const odd = box.addUser({ name: 7 as unknown as string, login: "odd@force.example" });
    await officer.as(odd).api("GET", "/users/me");
    expect(box.unsound).toEqual([
      expect.objectContaining({ operation: "get_users_me", what: "200/name must be string" }),
    ]);
    box.violations.length = 0;
  });
});
