import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { digestField, sha256Of } from "../../../src/evidence/digest.ts";
import type { ExhibitEntry } from "../../../src/evidence/ports/register.ts";
import type { Upload } from "../../../src/evidence/ports/store.ts";
import { storeOf } from "../../../src/stores/server/store.ts";
import { bytesHeaders, keyIn, raw, reserved, type RawRequest } from "../../support/sending.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";

const bytes = randomBytes(1000);

let server: TestServer;
let owner: Person;
let stranger: Person;
let officer: Person;
let admin: Person;
let entry: ExhibitEntry;
let upload: Upload;
beforeAll(async () => {
  server = await startServer();
  owner = await server.enrol("partner");
  stranger = await server.enrol("partner");
  officer = await server.enrol("officer");
  admin = await server.enrol("admin");
  entry = await reserved(owner);
  upload = await storeOf(owner.session).begin(keyIn(entry), 2500, 1000, soon());
});
afterAll(() => server.stop());

type Row = [string, () => RawRequest, number, string];

/** Each refusal says its code, and nothing of the upload changes. */
async function refuse(person: Person, wanted: RawRequest, status: number, code: string) {
  const answer = await raw(person, wanted);
  expect({ status: answer.status, code: answer.json["code"] }).toEqual({ status, code });
  expect(answer.text).not.toMatch(/node_modules|at .*\.ts:|SQLITE/);
  expect(await storeOf(owner.session).listParts(upload, soon())).toEqual([]);
}

describe("reserving", () => {
  const body = { case: "01AB1234526", sourceId: "s", totalBytes: 1 };
  const send = (changes: object): (() => RawRequest) => {
    return () => ({ method: "POST", path: "/v1/exhibits", body: { ...body, ...changes } });
  };
  const rows: Row[] = [
    ["without a case", send({ case: undefined }), 400, "usage.invalid"],
    ["with a path as case", send({ case: "../../etc" }), 400, "usage.invalid"],
    ["with a NUL in the case", send({ case: "A\0B" }), 400, "usage.invalid"],
    ["with a huge case", send({ case: "A".repeat(100_000) }), 400, "usage.invalid"],
    ["with a path as reference", send({ reference: "ABC/../1" }), 400, "usage.invalid"],
    ["with markup as initials", send({ initials: "<b>" }), 400, "usage.invalid"],
    ["without a source id", send({ sourceId: "" }), 400, "usage.invalid"],
    ["with a negative size", send({ totalBytes: -1 }), 400, "usage.invalid"],
    ["with a size beyond counting", send({ totalBytes: 2 ** 60 }), 400, "usage.invalid"],
    ["with a field nobody knows", send({ admin: true }), 400, "usage.invalid"],
    ["with a body over a MiB", send({ sourceId: "s".repeat(1 << 21) }), 413, "policy.too-large"],
    [
      "with no JSON",
      () => ({
        method: "POST",
        path: "/v1/exhibits",
        headers: { "content-type": "application/json" },
        body: "{",
      }),
      400,
      "usage.invalid",
    ],
  ];
  it.each(rows)("%s is refused", (_, wanted, status, code) =>
    refuse(owner, wanted(), status, code),
  );
});

describe("beginning an upload", () => {
  const send = (changes: object): (() => RawRequest) => {
    return () => ({
      method: "POST",
      path: "/v1/uploads",
      body: { key: keyIn(entry, 2), sizeBytes: 10, partBytes: 10, ...changes },
    });
  };
  const rows: Row[] = [
    ["under a path", send({ key: "../../../etc/passwd" }), 400, "usage.invalid"],
    ["with half a byte", send({ sizeBytes: 0.5 }), 400, "usage.invalid"],
    ["of parts that are too long", send({ partBytes: 2 ** 40 }), 400, "usage.invalid"],
    ["of too many parts", send({ sizeBytes: 10 ** 9, partBytes: 1 }), 413, "policy.too-large"],
    ["of more than the store holds", send({ sizeBytes: 2 ** 50 }), 413, "policy.too-large"],
    [
      "of more than the disk holds",
      send({ sizeBytes: 2 ** 43, partBytes: 2 ** 26 }),
      507,
      "unavailable.no-space",
    ],
    ["of an unknown exhibit", send({ key: "NONE/ABC_1/ABC_1-0001" }), 404, "not-found.exhibit"],
    ["under another name", send({ key: "01AB1234526/XYZ_1/ABC_1-0001" }), 404, "not-found.exhibit"],
  ];
  it.each(rows)("%s is refused", (_, wanted, status, code) =>
    refuse(owner, wanted(), status, code),
  );

  it.each(["record.json", "receipt.json", "custody.jsonl", "reservation.json", "XYZ_9-0001.mp4"])(
    "as %s is refused: only the exhibit's own files come from outside",
    async (name) => {
      const key = `${keyIn(entry).split("/").slice(0, 2).join("/")}/${name}`;
      await refuse(owner, send({ key })(), 400, "usage.invalid");
      await refuse(
        owner,
        { method: "PUT", path: `/v1/content/${key}`, headers: bytesHeaders(bytes), body: bytes },
        400,
        "usage.invalid",
      );
    },
  );

  it("in another's exhibit looks like an unknown one, even to an officer and an admin", async () => {
    for (const person of [stranger, officer, admin]) {
      await refuse(person, send({})(), 404, "not-found.exhibit");
    }
  });
});

describe("sending a part", () => {
  const part = (offset: string, headers: Record<string, string>, body: Buffer): RawRequest => {
    return { method: "PUT", path: `/v1/uploads/${upload.id}/parts/${offset}`, headers, body };
  };
  const good = bytesHeaders(bytes);
  const type = { "content-type": "application/octet-stream" };
  const of = (length: number) => bytes.subarray(0, length);
  const rows: Row[] = [
    ["without a digest", () => part("0", type, bytes), 400, "usage.missing"],
    [
      "with a digest of another kind only",
      () => part("0", { ...type, "content-digest": "md5=:AAAAAAAAAAAAAAAAAAAAAA==:" }, bytes),
      400,
      "usage.missing",
    ],
    [
      "with the digest of other bytes",
      () => part("0", bytesHeaders(of(9)), bytes),
      422,
      "integrity.mismatch",
    ],
    ["beyond the end", () => part("3000", good, bytes), 400, "usage.invalid"],
    ["empty", () => part("0", bytesHeaders(of(0)), of(0)), 400, "usage.invalid"],
    ["too long at the end", () => part("2000", good, bytes), 400, "usage.invalid"],
    ["at a negative offset", () => part("-1000", good, bytes), 400, "usage.invalid"],
    ["at no number", () => part("zero", good, bytes), 400, "usage.invalid"],
    ["at 1e3", () => part("1e3", good, bytes), 400, "usage.invalid"],
    [
      "as text",
      () => part("0", { ...good, "content-type": "text/plain" }, bytes),
      400,
      "usage.invalid",
    ],
    [
      "as JSON",
      () => part("0", { ...good, "content-type": "application/json" }, Buffer.from("[1]")),
      400,
      "usage.invalid",
    ],
  ];
  it.each(rows)("%s is refused", (_, wanted, status, code) =>
    refuse(owner, wanted(), status, code),
  );

  it("into another's upload looks like into an unknown one, for everyone", async () => {
    for (const person of [stranger, officer, admin]) {
      await refuse(person, part("0", good, bytes), 404, "not-found.upload");
    }
    for (const id of ["u".padEnd(27, "0"), "..%2f..%2fetc", "%00", "x".repeat(200)]) {
      const path = `/v1/uploads/${id}/parts/0`;
      await refuse(
        owner,
        { method: "PUT", path, headers: good, body: bytes },
        404,
        "not-found.upload",
      );
    }
  });

  it.each([
    ["declares more than it sends", "content-length: 1000\r\n", "short", /^HTTP\/1\.1 400 /],
    [
      "declares nothing",
      "transfer-encoding: chunked\r\n",
      "5\r\nshort\r\n0\r\n\r\n",
      /^HTTP\/1\.1 400 /,
    ],
    ["declares nonsense", "content-length: 1e3\r\n", "short", /^HTTP\/1\.1 400 /],
    [
      "declares two lengths",
      "content-length: 5\r\ncontent-length: 6\r\n",
      "short",
      /^HTTP\/1\.1 400 /,
    ],
    ["is far too large", `content-length: ${2 ** 40}\r\n`, "short", /^HTTP\/1\.1 413 /],
  ])("whose body %s leaves nothing behind", async (_, length, body, expected) => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    const token = await owner.session.accessToken(soon());
    const head =
      `PUT /v1/uploads/${upload.id}/parts/0 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n` +
      `content-type: application/octet-stream\r\ncontent-digest: ${digestField(sha256Of(bytes))}\r\n` +
      `connection: close\r\n${length}\r\n${body}`;
    // The first gives up in the middle; the others wait for what the server says.
    if (length === "content-length: 1000\r\n") socket.end(head);
    else socket.write(head);
    expect(await text(socket)).toMatch(expected);
    expect(await storeOf(owner.session).listParts(upload, soon())).toEqual([]);
  });
});

describe("completing, looking at and aborting", () => {
  it("another's upload looks like an unknown one; an admin sees and may abort it, and no more", async () => {
    const path = `/v1/uploads/${upload.id}`;
    const complete: RawRequest = {
      method: "POST",
      path: `${path}/complete`,
      body: { sha256: sha256Of("x") },
    };
    for (const person of [stranger, officer]) {
      await refuse(person, complete, 404, "not-found.upload");
      await refuse(person, { method: "GET", path }, 404, "not-found.upload");
      await refuse(person, { method: "DELETE", path }, 404, "not-found.upload");
      expect(await storeOf(person.session).uploads(soon())).toEqual([]);
    }
    await refuse(admin, complete, 404, "not-found.upload");
    expect((await raw(admin, { method: "GET", path })).json["id"]).toBe(upload.id);
    expect((await storeOf(admin.session).uploads(soon())).map((one) => one.id)).toContain(
      upload.id,
    );
  });

  it.each([
    ["a short digest", { sha256: "abc" }],
    ["a digest in capitals", { sha256: sha256Of("x").toUpperCase() }],
    ["nothing", {}],
    ["a list", []],
  ])("with %s is refused", (_, body) =>
    refuse(
      owner,
      { method: "POST", path: `/v1/uploads/${upload.id}/complete`, body },
      400,
      "usage.invalid",
    ),
  );
});

describe("content", () => {
  it.each([
    "/v1/content/..%2f..%2f..%2fetc%2fpasswd",
    "/v1/content/01AB1234526/ABC_1/ABC_1-0001%00.mp4",
    "/v1/content//etc/passwd",
  ])("under %s is refused", (path) => refuse(owner, { method: "GET", path }, 400, "usage.invalid"));

  it("of another's exhibit looks like none to a partner, and is open to an officer", async () => {
    const mine = await reserved(officer, { case: "OTHER CASE" });
    const store = storeOf(officer.session);
    await store.put(keyIn(mine), bytes, sha256Of(bytes), soon());
    const path = `/v1/content/${keyIn(mine)}`;
    await refuse(stranger, { method: "GET", path }, 404, "not-found.content");
    expect((await raw(stranger, { method: "HEAD", path })).status).toBe(404);
    expect(await storeOf(stranger.session).stat(keyIn(mine), soon())).toBeUndefined();
    expect((await raw(admin, { method: "GET", path })).status).toBe(200);
  });

  it.each([
    ["bytes=0-9", 206, "bytes 0-9/1000", 10],
    ["bytes=990-", 206, "bytes 990-999/1000", 10],
    ["bytes=-10", 206, "bytes 990-999/1000", 10],
    ["bytes=990-5000", 206, "bytes 990-999/1000", 10],
    ["bytes=1000-", 416, "bytes */1000", 0],
    ["bytes=-0", 416, "bytes */1000", 0],
    ["bytes=9-5", 200, undefined, 1000],
    ["bytes=0-1,5-6", 200, undefined, 1000],
    ["lines=1-2", 200, undefined, 1000],
  ])("asked for as %s answers %d", async (range, status, contentRange, length) => {
    const mine = await reserved(owner, { case: "RANGES", sourceId: "ranges" });
    await storeOf(owner.session).put(keyIn(mine), bytes, sha256Of(bytes), soon());
    const path = `/v1/content/${keyIn(mine)}`;
    const answer = await raw(owner, { method: "GET", path, headers: { range } });
    expect(answer.status).toBe(status);
    expect(answer.headers["content-range"]).toBe(contentRange);
    expect(answer.headers["content-length"]).toBe(String(length));
  });
});
