import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Asking, expectRefused, type Said } from "../support/box/asking.ts";
import { startBox, type Box } from "../support/box/box.ts";
import type { Json } from "../support/box/http/json.ts";

// What Box refuses of audit, metadata and settings, the simulated one refuses too.

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
});

let files = 0;
function freshFile(): Promise<string> {
  files += 1;
  return officer.file(`file ${files}.pdf`);
}

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
