import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { finish, start } from "../support/built-program.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { asUser, ask, makeBucket, succeed, type S3User } from "../support/s3-user.ts";

const mib = 1024 * 1024;
let folder: string;
let ceph: Ceph;
let user: S3User;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-from-s3-"));
  ceph = await bootCeph();
  user = { ...(await ceph.addUser()), url: ceph.url };
  await mkdir(path.join(folder, "nas"));
  await exhibit("store", "add", "nas", path.join(folder, "nas"));
}, 60_000);
afterAll(async () => {
  await ceph.close();
  await rm(folder, { recursive: true });
});

interface Ran {
  readonly code: number | null;
  readonly err: string;
  readonly document: unknown;
}

async function exhibit(...argv: string[]): Promise<Ran> {
  const { code, out, err } = await finish(start(folder, [...argv, "--json"], asUser(user)));
  return { code, err, document: out === "" ? undefined : (JSON.parse(out) as unknown) };
}

function at(bucket: string, key: string): string {
  return `s3://${bucket}/${key}?endpoint=${user.url}`;
}

async function put(bucket: string, key: string, body: string, headers = {}): Promise<void> {
  await succeed(user, "PUT", `/${bucket}/${key}`, { body, headers });
}

/** What the store's copy of the record says of the files of an exhibit. */
async function recordOf(address: string): Promise<{ readonly files: readonly unknown[] }> {
  const { document } = await exhibit("show", address);
  return (document as { record: { files: unknown[] } }).record;
}

async function stored(reference: string): Promise<Buffer> {
  return readFile(path.join(folder, "nas", "M1", reference, `${reference}-0001.bin`));
}

const sending = (reference: string, ...more: string[]): string[] => [
  ...["--case", "M1", "--ref", reference, ...more],
];

describe("objects of a bucket", () => {
  it("are taken as files are, each with where it was kept and its own time", async () => {
    await makeBucket(user, "old");
    const large = randomBytes(9 * mib).toString("latin1");
    await put("old", "export/cam%201/a.bin", large, { "x-amz-meta-mtime": "1700000000.25" });
    await put("old", "export/b.bin", "beta");
    await put("old", "export/empty/", "");
    await put("old", "exported/c.bin", "not in this folder");
    const ran = await exhibit("upload", at("old", "export"), ...sending("OLD/1", "--one-exhibit"));
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect(ran.document).toMatchObject({
      exhibits: [{ contents: [{ path: "export/b.bin" }, { path: "export/cam 1/a.bin" }] }],
      skipped: [{ path: "export/empty/", reason: expect.stringContaining("empty folder") }],
      failed: [],
    });
    const { files } = await recordOf("M1:OLD/1");
    expect(files).toMatchObject([
      { digest: { sha256: sha256Of("beta") }, origin: { url: "s3://old/export/b.bin" } },
      {
        digest: { sha256: sha256Of(large) },
        modifiedAt: "2023-11-14T22:13:20.250Z",
        origin: {
          url: "s3://old/export/cam 1/a.bin",
          etag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
          storedAt: expect.stringMatching(/^202\d-/),
        },
      },
    ]);
    const again = await exhibit(
      "upload",
      at("old", "export"),
      ...sending("OLD/1", "--one-exhibit"),
    );
    expect(again.document).toMatchObject({ exhibits: [{ outcome: "already-present" }] });
  });

  it("are as many as there are, however many pages their list has", async () => {
    await makeBucket(user, "many");
    const keys = Array.from({ length: 1003 }, (_, index) => `many/${String(index)}%2B%26.txt`);
    for (let from = 0; from < keys.length; from += 50) {
      await Promise.all(keys.slice(from, from + 50).map((key) => put("many", key, key)));
    }
    const ran = await exhibit(
      "upload",
      at("many", ""),
      "--case",
      "M2",
      "--dry-run",
      "--initials",
      "M",
    );
    expect([ran.code, ran.document]).toMatchObject([0, { failed: [], skipped: [] }]);
    const { exhibits } = ran.document as { exhibits: { path: string }[] };
    expect(exhibits.map(({ path: one }) => one).sort()).toEqual(
      keys.map((key) => decodeURIComponent(key)).sort(),
    );
  }, 120_000);

  it("in a bucket with versions are the versions that were listed", async () => {
    await makeBucket(user, "versions", "versioned");
    await put("versions", "clip.bin", "first");
    await put("versions", "clip.bin", "second");
    const listed = await succeed(user, "GET", "/versions", { query: "versions=" });
    const [second, first] = [...listed.matchAll(/<VersionId>([^<]+)/g)].map(([, id]) => id ?? "");
    const newest = await exhibit("upload", at("versions", "clip.bin"), ...sending("VER/1"));
    expect(newest.code).toBe(0);
    expect((await stored("VER_1")).toString()).toBe("second");
    expect((await recordOf("M1:VER/1")).files).toMatchObject([{ origin: { version: second } }]);
    const named = `${at("versions", "clip.bin")}#version=${first ?? ""}`;
    const old = await exhibit("upload", named, ...sending("VER/2"));
    expect(old.document).toMatchObject({ failed: [] });
    expect((await stored("VER_2")).toString()).toBe("first");
    expect((await recordOf("M1:VER/2")).files).toMatchObject([{ origin: { version: first } }]);
  });

  it("that are replaced while they are read are refused", async () => {
    await makeBucket(user, "changing");
    const large = randomBytes(24 * mib).toString("latin1");
    await put("changing", "clip.bin", large);
    const child = start(
      folder,
      [
        ...["upload", at("changing", "clip.bin"), ...sending("CHG/1", "--json")],
        ...["--part-size", "1M", "--concurrency", "1", "--bwlimit", "8M", "--progress", "json"],
      ],
      asUser(user),
    );
    const underWay = new Promise<void>((resolve) => {
      child.stderr.on("data", (text: Buffer) => {
        if (text.includes("part-done")) resolve();
      });
    });
    const ended = finish(child);
    await underWay;
    await put("changing", "clip.bin", `${large.slice(1)}x`);
    const { code, out } = await ended;
    expect([code, JSON.parse(out)]).toMatchObject([
      6,
      { exhibits: [], failed: [{ code: "integrity.source-changed" }] },
    ]);
  }, 60_000);

  it.each([
    ["nothing there", () => at("old", "nowhere"), 5, "There is nothing at s3://old/nowhere"],
    ["no such bucket", () => at("none-such", "x"), 5, "no such bucket"],
    ["an address that is none", () => "s3://old/%zz?endpoint=http://127.0.0.1:1", 2, "no address"],
    ["no region and no endpoint", () => "s3://old/export", 2, "region"],
    ["nobody there", () => "s3://old/export?endpoint=http://127.0.0.1:1", 7, "127.0.0.1:1"],
  ])("say so where there is %s", async (_, address, code, words) => {
    const ran = await exhibit("upload", address(), ...sending("BAD/1"));
    expect([ran.code, ran.err]).toEqual([code, expect.stringContaining(words)]);
  });

  it("that these keys may not read are told apart from the others", async () => {
    await makeBucket(user, "denied");
    await put("denied", "in/a.bin", "open");
    await put("denied", "in/b.bin", "closed");
    const body = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          ...{ Effect: "Deny", Principal: "*", Action: "s3:GetObject" },
          Resource: "arn:aws:s3:::denied/in/b.bin",
        },
      ],
    });
    expect((await ask(user, "PUT", "/denied", { query: "policy=", body })).status).toBeLessThan(
      300,
    );
    const ran = await exhibit("upload", at("denied", "in"), "--case", "M3", "--initials", "DEN");
    expect([ran.code, ran.document]).toMatchObject([
      3,
      {
        exhibits: [{ contents: [{ path: "in/a.bin" }] }],
        failed: [{ path: "in/b.bin", code: "unavailable.source" }],
      },
    ]);
  });
});
