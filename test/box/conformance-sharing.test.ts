import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Asking, expectRefused, type Said } from "../support/box/asking.ts";
import { startBox, type Box } from "../support/box/box.ts";
import type { Json } from "../support/box/http/json.ts";

// What Box refuses of sharing, audit and settings, the simulated one refuses too.

const hourMs = 3_600_000;

let box: Box;
let officer: Asking;
let partner: Asking;

beforeAll(async () => {
  box = await startBox();
  officer = new Asking(box, box.users.officer);
  partner = new Asking(box, box.users.partner);
});
afterAll(() => box.close());
afterEach(() => {
  expect(box.unsound).toEqual([]);
  box.violations.length = 0;
});

let files = 0;
function freshFile(): Promise<string> {
  files += 1;
  return officer.file(`file ${files}.pdf`);
}

function share(id: string, link: Json | null, asking = officer): Promise<Said> {
  const json = { shared_link: link };
  return asking.api("PUT", `/files/${id}?fields=shared_link`, { json });
}

function linkOf(said: Said): Json {
  expect(said).toMatchObject({ status: 200, json: { shared_link: {} } });
  return said.json["shared_link"] as Json;
}

function find(asking: Asking, url: unknown, password?: string): Promise<Said> {
  const given = password === undefined ? "" : `&shared_link_password=${password}`;
  const headers = { boxapi: `shared_link=${String(url)}${given}` };
  return asking.api("GET", "/shared_items?fields=name,shared_link", { headers });
}

describe("shared links", () => {
  test.each<[string, Json, number]>([
    ["nothing asked for", {}, 200],
    ["a strong password", { access: "open", password: "Wr0ng-horse" }, 200],
    ["a weak password", { access: "open", password: "short" }, 400],
    ["a password for the company", { access: "company", password: "Wr0ng-horse" }, 400],
    ["an end in the past", { access: "open", unshared_at: "2020-01-01T00:00:00Z" }, 400],
    ["no such access", { access: "everybody" }, 400],
    [
      "downloads for collaborators",
      { access: "collaborators", permissions: { can_download: true } },
      400,
    ],
    ["edits without downloads", { permissions: { can_download: false, can_edit: true } }, 400],
    ["a short name", { access: "open", vanity_name: "short" }, 400],
  ])("%s", async (_, link, status) => {
    const id = await freshFile();
    expect((await share(id, link)).status).toBe(status);
  });

  test("there is one for each item: a change keeps its address, a new one has another", async () => {
    const id = await freshFile();
    const first = linkOf(await share(id, { access: "open" }));
    const second = linkOf(await share(id, { permissions: { can_download: false } }));
    expect(second).toMatchObject({ url: first["url"], effective_permission: "can_preview" });
    expect((await officer.api("GET", `/files/${id}`)).json).not.toHaveProperty("shared_link");
    expect((await share(id, null)).json).toMatchObject({ shared_link: null });
    expectRefused(await find(partner, first["url"]), 404);
    const third = linkOf(await share(id, { access: "open" }));
    expect(third["url"]).not.toBe(first["url"]);
    const stale = { headers: { "if-match": "0" }, json: { shared_link: null } };
    expectRefused(await officer.api("PUT", `/files/${id}`, stale), 412, "precondition_failed");
  });

  test("lets in whom it is for, with the password, for as long as it is for", async () => {
    const id = await freshFile();
    const unshared_at = new Date(box.clock.now().getTime() + hourMs).toISOString();
    const { url } = linkOf(
      await share(id, { access: "open", password: "Wr0ng-horse", unshared_at }),
    );
    expectRefused(await find(partner, url), 403, "incorrect_shared_item_password");
    const found = await find(partner, url, "Wr0ng-horse");
    expect(found).toMatchObject({ status: 200, json: { id } });
    expectRefused(await partner.api("GET", `/files/${id}`), 404);
    const boxapi = `shared_link=${String(url)}&shared_link_password=Wr0ng-horse`;
    const content = await partner.api("GET", `/files/${id}/content`, { headers: { boxapi } });
    expect(content.status).toBe(302);
    const counted = await officer.api("GET", `/files/${id}?fields=shared_link`);
    expect(linkOf(counted)).toMatchObject({ download_count: 1 });
    const { url: inside } = linkOf(await share(await freshFile(), { access: "company" }));
    expectRefused(await find(partner, inside), 404);
    expect((await find(officer.as(box.users.admin), inside)).status).toBe(200);
    await box.clock.later(hourMs + 1000, async () => {
      const late = officer.as(box.users.partner);
      expectRefused(await find(late, url, "Wr0ng-horse"), 404);
    });
  });

  test("is narrowed by the enterprise, whatever was asked", async () => {
    box.settings.linkPolicy = { access: "company", canDownload: false };
    const link = linkOf(await share(await freshFile(), { access: "open" }));
    expect(link).toMatchObject({
      access: "open",
      effective_access: "company",
      effective_permission: "can_preview",
    });
    expectRefused(await find(partner, link["url"]), 404);
    box.settings.linkPolicy = { access: "open", canDownload: true };
  });

  test("who has no account looks at it, and is told of as nobody", async () => {
    const id = await freshFile();
    const { url } = linkOf(await share(id, { access: "open" }));
    const page = await officer.with("").at(String(url), "GET");
    expect(page).toMatchObject({ status: 200 });
    expect(page.text).toContain("without a watermark");
    expect(box.events.at(-1)).toMatchObject({ type: "PREVIEW", by: undefined });
    const counted = await officer.api("GET", `/files/${id}?fields=shared_link`);
    expect(linkOf(counted)).toMatchObject({ preview_count: 1 });
  });
});

describe("watermarks", () => {
  const json = { watermark: { imprint: "default" } };
  const mark = (id: string, asking = officer, kind = "files") =>
    asking.api("PUT", `/${kind}/${id}/watermark`, { json });

  test("is made, is there, is gone", async () => {
    const id = await freshFile();
    const at = `/files/${id}/watermark`;
    expectRefused(await officer.api("GET", at), 404);
    expectRefused(await officer.api("DELETE", at), 404);
    expectRefused(await officer.api("PUT", at, { json: { watermark: { imprint: "x" } } }), 400);
    expect((await mark(id)).status).toBe(201);
    expect((await mark(id)).status).toBe(200);
    expect((await officer.api("GET", at)).status).toBe(200);
    expect((await officer.api("DELETE", at)).status).toBe(204);
    expectRefused(await mark(id, partner), 404);
  });

  test("needs a plan that has it", async () => {
    const id = await freshFile();
    box.settings.watermarks = false;
    expectRefused(await mark(id), 403);
    box.settings.watermarks = true;
  });

  test("cannot be put on some files: nothing happens, or it is refused", async () => {
    const id = await freshFile();
    box.settings.unmarkable = { name: /\.pdf$/, then: "nothing" };
    expect((await mark(id)).status).toBe(201);
    expectRefused(await officer.api("GET", `/files/${id}/watermark`), 404);
    box.settings.unmarkable = { name: /\.pdf$/, then: "refuse" };
    expectRefused(await mark(id), 400);
    box.settings.unmarkable = undefined;
  });

  test("of a folder is on what lies in it", async () => {
    const folder = box.folder(box.users.officer, "Marked");
    const id = await officer.file("inside.pdf", "abc", folder);
    expect((await mark(folder, officer, "folders")).status).toBe(201);
    const file = await officer.api("GET", `/files/${id}?fields=watermark_info`);
    expect(file.json["watermark_info"]).toMatchObject({
      is_watermarked: true,
      is_watermark_inherited: true,
    });
  });

  test("is on a copy of what has it; a link is not", async () => {
    const id = await freshFile();
    await mark(id);
    linkOf(await share(id, { access: "open" }));
    const copy = await officer.api("POST", `/files/${id}/copy?fields=shared_link,watermark_info`, {
      json: { parent: { id: "0" }, name: `copy of ${id}` },
    });
    expect(copy).toMatchObject({
      status: 201,
      json: { shared_link: null, watermark_info: { is_watermarked: true } },
    });
  });
});

describe("events", () => {
  const ids = (said: Said) => (said.json["entries"] as Json[]).map((one) => one["event_id"]);

  test("of the enterprise are for administrators, late or untidy", async () => {
    const admin = officer.as(box.users.admin);
    expectRefused(await officer.api("GET", "/events?stream_type=admin_logs"), 403);
    const all = "/events?stream_type=admin_logs&limit=500&event_type=UPLOAD";
    const before = ids(await admin.api("GET", all)).length;
    await freshFile();
    box.settings.adminLogsDelayMs = hourMs;
    expect(ids(await admin.api("GET", all)).length).toBeLessThanOrEqual(before);
    box.settings.adminLogsDelayMs = 0;
    expect(ids(await admin.api("GET", all))).toHaveLength(before + 1);
    const streamed = ids(await admin.api("GET", all.replace("admin_logs", "admin_logs_streaming")));
    expect(new Set(streamed).size).toBe(streamed.length - 1);
    const dated = `${all}&created_after=2999-01-01T00:00:00Z`;
    expect(ids(await admin.api("GET", dated))).toEqual([]);
    const wrong = dated.replace("admin_logs", "admin_logs_streaming");
    expectRefused(await admin.api("GET", wrong), 400);
  });

  test("of one's own go on from a position, which is a number or a text", async () => {
    const at = async (position: unknown) =>
      officer.api("GET", `/events?stream_type=all&stream_position=${String(position)}`);
    const now = await at("now");
    expect(now.json).toMatchObject({ chunk_size: 0, next_stream_position: expect.any(String) });
    await freshFile();
    box.settings.streamPositions = "number";
    const next = await at(now.json["next_stream_position"]);
    box.settings.streamPositions = "string";
    expect(next.json).toMatchObject({
      chunk_size: 1,
      next_stream_position: expect.any(Number),
      entries: [{ event_type: "ITEM_UPLOAD" }],
    });
  });
});

describe("metadata, file requests and settings", () => {
  test("metadata is made once and patched, with errors of its own", async () => {
    const at = `/files/${await freshFile()}/metadata/global/properties`;
    expectRefused(await officer.api("GET", at), 404);
    const json = { sha256: "ab" };
    expect((await officer.api("POST", at, { json })).status).toBe(201);
    const again = await officer.api("POST", at, { json });
    expect(again).toMatchObject({ status: 409, json: { code: "tuple_already_exists" } });
    expect(Object.keys(again.json)).toEqual(["code", "message", "request_id"]);
    const patch = (steps: Json[], type = "application/json-patch+json") =>
      officer.api("PUT", at, { json: steps, headers: { "content-type": type } });
    const replace = { op: "replace", path: "/sha256", value: "cd" };
    expect((await patch([replace], "application/json")).status).toBe(415);
    expect((await patch([{ op: "test", path: "/sha256", value: "x" }, replace])).status).toBe(400);
    expect((await patch([replace])).json).toMatchObject({ sha256: "cd", $version: 1 });
    const unknown = at.replace("global/properties", "enterprise/nothing");
    expect(await officer.api("POST", unknown, { json })).toMatchObject({
      status: 404,
      json: { code: "instance_tuple_not_found" },
    });
  });

  test("a template's fields have their types", async () => {
    const template = {
      scope: "enterprise",
      templateKey: "exhibit",
      displayName: "Exhibit",
      fields: [{ type: "string", key: "reference", displayName: "Reference" }],
    };
    const schema = "/metadata_templates/schema";
    expectRefused(await officer.api("POST", schema, { json: template }), 403);
    const admin = officer.as(box.users.admin);
    expect((await admin.api("POST", schema, { json: template })).status).toBe(201);
    const at = `/files/${await freshFile()}/metadata/enterprise/exhibit`;
    expect(await officer.api("POST", at, { json: { reference: 7 } })).toMatchObject({
      status: 400,
      json: { code: "schema_validation_failed" },
    });
    expect((await officer.api("POST", at, { json: { reference: "ABC/1" } })).status).toBe(201);
  });

  test("a file request is copied, shown, and gone when it is closed or over", async () => {
    const folder = box.folder(box.users.officer, "Drop");
    const template = box.fileRequest(box.users.officer, folder);
    const expires_at = new Date(box.clock.now().getTime() + hourMs).toISOString();
    const json = { folder: { type: "folder", id: folder }, title: "Footage", expires_at };
    const copy = await officer.api("POST", `/file_requests/${template}/copy`, { json });
    expect(copy).toMatchObject({ status: 200, json: { title: "Footage", status: "active" } });
    const page = () => officer.at(`${box.authorizeUrl}${String(copy.json["url"])}`, "GET");
    expect((await page()).status).toBe(200);
    const at = `/file_requests/${String(copy.json["id"])}`;
    const stale = { json: { status: "inactive" }, headers: { "if-match": "9" } };
    expectRefused(await officer.api("PUT", at, stale), 412);
    await officer.api("PUT", at, { json: { status: "inactive" } });
    expect((await page()).status).toBe(404);
    await officer.api("PUT", at, { json: { status: "active" } });
    await box.clock.later(hourMs + 1000, async () => {
      expect((await page()).status).toBe(404);
    });
    expectRefused(await partner.api("GET", at), 404);
    expect((await officer.api("DELETE", at)).status).toBe(204);
  });

  test("the settings of the enterprise are for administrators, in their own version", async () => {
    const at = `/enterprise_configurations/${box.enterpriseId}?categories=content_and_sharing`;
    const headers = { "box-version": "2025.0" };
    const admin = officer.as(box.users.admin);
    expectRefused(await officer.api("GET", at, { headers }), 403);
    expectRefused(await admin.api("GET", at), 400, "invalid_api_version");
    box.settings.enterprise = { content_and_sharing: { is_file_request_login_required: true } };
    expect((await admin.api("GET", at, { headers })).json["content_and_sharing"]).toMatchObject({
      shared_link_default_access: { value: "company" },
      is_file_request_login_required: { value: true },
    });
  });

  test("where content lies and whom it may go to is for administrators", async () => {
    const admin = officer.as(box.users.admin);
    expectRefused(await officer.api("GET", "/storage_policies"), 403);
    expect((await admin.api("GET", "/storage_policies")).text).toContain("UK");
    const of = `resolved_for_type=enterprise&resolved_for_id=${box.enterpriseId}`;
    expect((await admin.api("GET", `/storage_policy_assignments?${of}`)).status).toBe(200);
    box.settings.allowedDomains = ["court.example"];
    const domains = await admin.api("GET", "/collaboration_whitelist_entries");
    expect(domains.text).toContain("court.example");
    const folder = box.folder(box.users.officer, "Kept in");
    const json = {
      item: { type: "folder", id: folder },
      accessible_by: { type: "user", login: box.users.partner.login },
      role: "viewer",
    };
    const invited = await officer.api("POST", "/collaborations", { json });
    box.settings.allowedDomains = [];
    expectRefused(invited, 403, "forbidden_by_policy");
  });
});
