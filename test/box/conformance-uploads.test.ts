import { createHash, randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { FormData } from "undici";
import { Asking, digestOf, expectRefused } from "../support/box/asking.ts";
import { startBox, type Box } from "../support/box/box.ts";

// What Box refuses of content, the simulated one refuses too.

const partBytes = 64 * 1024;
const dayMs = 86_400_000;

let box: Box;
let officer: Asking;

beforeAll(async () => {
  box = await startBox({ settings: { minimumSessionBytes: 1000, partBytes } });
  officer = new Asking(box, box.users.officer);
});
afterAll(() => box.close());
afterEach(() => {
  expect(box.unsound).toEqual([]);
  box.violations.length = 0;
});

describe("sessions", () => {
  test.each([
    [{ folder_id: undefined }, 400, "missing_destination"],
    [{ folder_id: "x" }, 400, "invalid_folder_id"],
    [{ folder_id: "999" }, 404, "invalid_parameter"],
    [{ file_name: undefined }, 400, "missing_file_name"],
    [{ file_name: "a/b" }, 400, "item_name_invalid"],
    [{ file_size: undefined }, 400, "missing_file_size"],
    [{ file_size: -1 }, 400, "invalid_file_size"],
    [{ file_size: 999 }, 400, "file_size_too_small"],
    [{ file_size: 60 * 1024 ** 3 }, 403, "file_size_limit_exceeded"],
    [{ file_size: 40 * 1024 ** 3 }, 403, "storage_limit_exceeded"],
  ])("is not made for %j", async (wrong, status, code) => {
    const { spaceBytes } = box.settings;
    box.settings.spaceBytes = 30 * 1024 ** 3;
    const json = { folder_id: "0", file_name: "x.bin", file_size: 1000, ...wrong };
    expectRefused(await officer.upload("POST", "/files/upload_sessions", { json }), status, code);
    box.settings.spaceBytes = spaceBytes;
  });

  test("is its maker's, for seven days", async () => {
    const session = await officer.session("mine.bin", 2000);
    const others = await officer.as(box.users.admin).at(session.part, "GET");
    expectRefused(others, 403, "forbidden");
    const at = (id: string) => officer.at(session.part.replace(session.id, id), "GET");
    expectRefused(await at("F".repeat(32)), 404, "not_found");
    expectRefused(await at("odd"), 400, "invalid_upload_session_id");
    await box.clock.later(7 * dayMs + 1000, async () => {
      const late = officer.as(box.users.officer);
      expectRefused(await late.at(session.part, "GET"), 410, "session_expired");
    });
  });

  test("cuts the file as it likes", async () => {
    const sizes = [2 * partBytes, 2 * partBytes + 1];
    const sessions = await Promise.all(
      sizes.map((size) =>
        officer.upload("POST", "/files/upload_sessions", {
          json: { folder_id: "0", file_name: `${size}.bin`, file_size: size },
        }),
      ),
    );
    expect(sessions.map(({ json }) => json["total_parts"])).toEqual([2, 3]);
    expect(sessions.map(({ json }) => json["part_size"])).toEqual([partBytes, partBytes]);
  });
});

describe("parts", () => {
  const whole = randomBytes(2 * partBytes + 100);
  const first = whole.subarray(0, partBytes);
  const size = whole.length;

  test.each([
    ["no digest", first, { digest: "" }, 400, "bad_digest"],
    ["another digest", first, { digest: digestOf(Buffer.from("x")) }, 400, "bad_digest"],
    ["a digest in hex", first, { digest: "sha=00112233" }, 400, "bad_digest"],
    ["no range", first, { range: "" }, 400, "bad_request"],
    ["another total", first, { range: `bytes 0-${partBytes - 1}/${size + 1}` }, 416, undefined],
    ["a crooked start", first, { range: `bytes 1-${partBytes}/${size}` }, 416, undefined],
    [
      "an early end",
      first.subarray(1),
      { range: `bytes 0-${partBytes - 2}/${size}` },
      416,
      undefined,
    ],
    [
      "too few bytes",
      first.subarray(1),
      { range: `bytes 0-${partBytes - 1}/${size}` },
      400,
      "bad_request",
    ],
    [
      "a part past the end",
      Buffer.alloc(0),
      { range: `bytes ${size}-${size - 1}/${size}` },
      416,
      undefined,
    ],
  ] as const)("is refused with %s", async (name, bytes, wrong, status, code) => {
    const session = await officer.session(`${name}.bin`, size);
    expectRefused(await officer.part(session, 0, bytes, wrong), status, code);
    expect((await officer.at(session.list, "GET")).json).toMatchObject({ total_count: 0 });
  });

  test("stay as they are, are listed by offset and in pages", async () => {
    const session = await officer.session("listed.bin", size);
    for (const at of [2, 0]) {
      const bytes = whole.subarray(at * partBytes, (at + 1) * partBytes);
      const digest = digestOf(bytes).replace("sha=", at === 0 ? "SHA=" : "sha=");
      expect((await officer.part(session, at * partBytes, bytes, { digest })).status).toBe(200);
    }
    const again = await officer.part(session, 0, first);
    expectRefused(again, 409, "range_overlaps_existing_part");
    const offsets = (said: { json: Record<string, unknown> }) =>
      (said.json["entries"] as { offset: number }[]).map(({ offset }) => offset);
    const all = await officer.at(session.list, "GET");
    expect(all.json).toMatchObject({ total_count: 2, limit: 1000, offset: 0 });
    expect(offsets(all)).toEqual([0, 2 * partBytes]);
    box.settings.pageEntries = 1;
    const second = await officer.at(`${session.list}?offset=1&limit=1000`, "GET");
    box.settings.pageEntries = 1000;
    expect(second.json).toMatchObject({ total_count: 2, limit: 1, offset: 1 });
    expect(offsets(second)).toEqual([2 * partBytes]);
    expectRefused(await officer.at(`${session.list}?offset=10001`, "GET"), 400);
  });

  async function sent(name: string) {
    const session = await officer.session(name, size);
    const parts: unknown[] = [];
    for (let at = 0; at < size; at += partBytes) {
      const said = await officer.part(session, at, whole.subarray(at, at + partBytes));
      parts.push(said.json["part"]);
    }
    return { session, parts, digest: digestOf(whole) };
  }

  test("are put together only when all are named as they are, and once", async () => {
    const { session, parts, digest } = await sent("whole.bin");
    const [one = {}, ...rest] = parts as object[];
    const mismatch = async (listed: readonly unknown[]) => {
      expectRefused(await officer.commit(session, listed, digest), 400, "parts_mismatch");
    };
    await mismatch(rest);
    await mismatch([...rest, one]);
    await mismatch([{ ...one, sha1: "0".repeat(40) }, ...rest]);
    await mismatch([{ ...one, part_id: "00000000" }, ...rest]);
    const wrong = digestOf(Buffer.from("x"));
    expectRefused(await officer.commit(session, parts, wrong), 400, "bad_digest");
    box.settings.commitNotReady = 2;
    for (let time = 0; time < 2; time += 1) {
      const said = await officer.commit(session, parts, digest);
      expect(said.status).toBe(202);
      expect(said.headers.get("retry-after")).toBe("1");
      const other = officer.file("WHOLE.bin");
      await expect(other).rejects.toThrow("name_temporarily_reserved");
    }
    box.settings.commitNotReady = 0;
    const done = await officer.commit(session, parts, digest);
    const sha1 = createHash("sha1").update(whole).digest("hex");
    expect(done).toMatchObject({ status: 201, json: { entries: [{ name: "whole.bin", sha1 }] } });
    expect(box.content(box.tree().get("whole.bin")?.id ?? "").equals(whole)).toBe(true);
    expectRefused(await officer.commit(session, parts, digest), 404);
  });

  test("are refused together when the name was taken meanwhile", async () => {
    const { session, parts, digest } = await sent("taken.bin");
    const id = await officer.file("Taken.bin");
    const said = await officer.commit(session, parts, digest);
    expectRefused(said, 409, "item_name_in_use");
    expect(said.json).toMatchObject({ context_info: { conflicts: { id, type: "file" } } });
  });

  test("of a new version are refused when it is another by now", async () => {
    const id = await officer.file("version.bin");
    const made = await officer.upload("POST", `/files/${id}/upload_sessions`, {
      json: { file_size: partBytes },
    });
    expect(made.status).toBe(201);
    const { upload_part, commit, list_parts } = made.json["session_endpoints"] as Record<
      string,
      string
    >;
    const session = {
      ...{ id: String(made.json["id"]), size: partBytes },
      ...{ part: upload_part ?? "", commit: commit ?? "", list: list_parts ?? "" },
    };
    const { json } = await officer.part(session, 0, first);
    const asked = {
      headers: { digest: digestOf(first), "if-match": "7" },
      json: { parts: [json["part"]] },
    };
    expectRefused(await officer.at(session.commit, "POST", asked), 412, "precondition_failed");
    const good = { ...asked, headers: { ...asked.headers, "if-match": "0" } };
    expect((await officer.at(session.commit, "POST", good)).status).toBe(201);
    const versions = await officer.api("GET", `/files/${id}/versions`);
    expect(versions.json).toMatchObject({ total_count: 1 });
  });

  test("a second session for a name is answered with the first, where Box feels like it", async () => {
    box.settings.sessionConflicts = true;
    const { id } = await officer.session("again.bin", 2000);
    const json = { folder_id: "0", file_name: "AGAIN.bin", file_size: 2000 };
    const said = await officer.upload("POST", "/files/upload_sessions", { json });
    box.settings.sessionConflicts = false;
    expectRefused(said, 409, "session_conflict");
    expect(said.json).toMatchObject({ context_info: { session: { id } } });
  });
});

describe("names and simple uploads", () => {
  test.each(["a/b", "a\\b", "a:b", "a?", "a\u0007", " a", "a ", ".", "..", "a".repeat(256)])(
    "%j is no name",
    async (name) => {
      const code = name.length > 255 ? "item_name_too_long" : "item_name_invalid";
      await expect(officer.file(name)).rejects.toThrow(code);
      const json = { name, parent: { id: "0" } };
      expectRefused(await officer.api("POST", "/folders", { json }), 400, code);
      expectRefused(await officer.api("OPTIONS", "/files/content", { json }), 400, code);
    },
  );

  test("a name is taken in either case, by files and folders alike", async () => {
    const id = await officer.file("Ümlaut.TXT", "abc");
    const json = { name: "ümlaut.txt", size: 3, parent: { id: "0" } };
    const sha1 = createHash("sha1").update("abc").digest("hex");
    for (const path of ["/files/content", "/files/content/"]) {
      const said = await officer.api("OPTIONS", path, { json });
      expectRefused(said, 409, "item_name_in_use");
      expect(said.json).toMatchObject({ context_info: { conflicts: { id, sha1 } } });
    }
    const folder = await officer.api("POST", "/folders", { json });
    expect(folder.json).toMatchObject({ context_info: { conflicts: [{ id }] } });
    expect(await officer.file("a".repeat(255))).toMatch(/^\d+$/);
  });

  test("the attributes come first, and the digest is the SHA-1 in hex", async () => {
    const attributes = JSON.stringify({ name: "order.bin", parent: { id: "0" } });
    const upload = (order: readonly string[], headers = {}) => {
      const body = new FormData();
      for (const name of order) {
        body.set(name, name === "file" ? new Blob(["abc"]) : attributes);
      }
      return officer.upload("POST", "/files/content", { body, headers });
    };
    expectRefused(await upload(["file", "attributes"]), 400, "metadata_after_file_contents");
    const md5 = createHash("md5").update("abc").digest("hex");
    const usual = ["attributes", "file"];
    expectRefused(await upload(usual, { "content-md5": md5 }), 400, "bad_digest");
    const sha1 = createHash("sha1").update("abc").digest("hex");
    expect((await upload(usual, { "content-md5": sha1 })).status).toBe(201);
  });

  test("an id that is none is another thing than one that is unknown", async () => {
    expectRefused(await officer.api("GET", "/files/abc"), 405);
    expectRefused(await officer.api("GET", "/files/999"), 404);
  });
});
