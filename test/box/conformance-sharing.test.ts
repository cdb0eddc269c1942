import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Asking, expectRefused, type Said } from "../support/box/asking.ts";
import { startBox, type Box } from "../support/box/box.ts";
import type { Json } from "../support/box/http/json.ts";

// What Box refuses of sharing, the simulated one refuses too.

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

  test("is on what a viewer downloads, and the log says so", async () => {
    const folder = box.folder(box.users.officer, "Viewed");
    const id = await officer.file("viewed.pdf", "abc", folder);
    await mark(id);
    const invitation = {
      item: { type: "folder", id: folder },
      accessible_by: { type: "user", id: box.users.partner.id },
      role: "viewer",
    };
    await officer.api("POST", "/collaborations", { json: invitation });
    expect((await partner.api("GET", `/files/${id}/content`)).status).toBe(302);
    expect(box.events.at(-1)?.type).toBe("FILE_WATERMARKED_DOWNLOAD");
    expect((await officer.api("GET", `/files/${id}/content`)).status).toBe(302);
    expect(box.events.at(-1)?.type).toBe("DOWNLOAD");
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
