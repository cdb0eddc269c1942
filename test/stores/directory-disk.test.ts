import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  realpath,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { Store } from "../../src/evidence/ports/store.ts";
import { openDirectoryStore } from "../../src/stores/directory/store.ts";
import { partsOf } from "../contracts/store-under-test.ts";

const signal = new AbortController().signal;
const key = "01AB1234526/ABC_1/ABC_1-0001.mp4";
const isRoot = process.getuid?.() === 0;

let root: string;
let store: Store;
beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(tmpdir(), "exhibit-disk-")));
  store = await openDirectoryStore(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

function code(value: string): unknown {
  return expect.objectContaining({ code: value });
}

async function onlyUpload(): Promise<string> {
  const [name] = await readdir(path.join(root, ".uploads"));
  return path.join(root, ".uploads", name ?? "");
}

describe("what lies on the disk", () => {
  it("is one read-only file a key, and nothing else once uploads are finished", async () => {
    const content = randomBytes(2500);
    const upload = await store.begin(key, 2500, 1000, signal);
    for (const part of partsOf(content)) await store.putPart(upload, part, signal);
    await store.complete(upload, { sha256: sha256Of(content) }, signal);
    const file = path.join(root, ...key.split("/"));
    expect((await readFile(file)).equals(content)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o440);
    expect(await readdir(path.join(root, ".uploads"))).toEqual([]);
  });

  it("does not grow by parts that are sent again", async () => {
    const content = randomBytes(2000);
    const upload = await store.begin(key, 2000, 1000, signal);
    const log = path.join(await onlyUpload(), "parts.log");
    for (const part of partsOf(content)) await store.putPart(upload, part, signal);
    const before = await readFile(log, "utf8");
    for (const part of partsOf(content)) await store.putPart(upload, part, signal);
    expect(await readFile(log, "utf8")).toBe(before);
  });

  it.each([
    ["torn in its digest", (line: string) => line.slice(0, 30)],
    ["torn in its offset", (line: string) => line.slice(0, 3)],
    ["zeros, as a power loss leaves them", () => "\0".repeat(40)],
    ["another program's words", () => "hello"],
  ])("forgets a last line of the parts log that is %s, and only that", async (_, tear) => {
    const content = randomBytes(3000);
    const parts = partsOf(content);
    const [first, second, third] = parts;
    if (first === undefined || second === undefined || third === undefined) throw new Error();
    const upload = await store.begin(key, 3000, 1000, signal);
    await store.putPart(upload, first, signal);
    const log = path.join(await onlyUpload(), "parts.log");
    await appendFile(log, `\n${tear(`+ 1000 1000 ${second.sha256}`)}`);
    const later = await openDirectoryStore(root);
    expect((await later.listParts(upload, signal)).map((part) => part.offset)).toEqual([0]);
    await later.putPart(upload, second, signal);
    await store.putPart(upload, third, signal);
    expect(await later.complete(upload, { sha256: sha256Of(content) }, signal)).toMatchObject({
      key,
    });
  });

  it("sends again what the disk has spoilt: complete finds it, forgets those parts and goes on", async () => {
    const content = randomBytes(3000);
    const parts = partsOf(content);
    const upload = await store.begin(key, 3000, 1000, signal);
    for (const part of parts) await store.putPart(upload, part, signal);
    const file = await open(path.join(await onlyUpload(), "content"), "r+");
    await file.write(Buffer.from("spoilt"), 0, 6, 1500);
    await file.close();
    const later = await openDirectoryStore(root);
    await expect(later.complete(upload, { sha256: sha256Of(content) }, signal)).rejects.toEqual(
      code("integrity.mismatch"),
    );
    expect((await later.listParts(upload, signal)).map((part) => part.offset)).toEqual([0, 2000]);
    for (const part of parts) await later.putPart(upload, part, signal);
    await later.complete(upload, { sha256: sha256Of(content) }, signal);
    expect((await buffer(await store.open(key, undefined, signal))).equals(content)).toBe(true);
  });

  it("fails a reader when a file has become shorter, and never just ends", async () => {
    const content = randomBytes(300_000);
    await store.put(key, content, sha256Of(content), signal);
    const stream = await store.open(key, undefined, signal);
    await truncate(path.join(root, ...key.split("/")), 100);
    await expect(buffer(stream)).rejects.toEqual(code("integrity.mismatch"));
  });

  it("sweeps away what a crash left half-made a day ago, and not what was made today", async () => {
    const uploads = path.join(root, ".uploads");
    await mkdir(path.join(uploads, ".new-old"), { recursive: true });
    await mkdir(path.join(uploads, ".put-today"));
    const yesterday = Date.now() / 1000 - 90_000;
    await utimes(path.join(uploads, ".new-old"), yesterday, yesterday);
    await store.begin(key, 10, 10, signal);
    expect(await readdir(uploads)).toEqual([
      ".put-today",
      expect.stringMatching(/^[0-9a-f]{32}-10$/),
    ]);
  });
});

describe("another process that stands still while it sends a part", () => {
  const script = fileURLToPath(new URL("../support/stalling-writer.js", import.meta.url));

  it.each([1, 2, 3])("never changes what was proved: moment %i", async (moment) => {
    const [mine] = partsOf(randomBytes(1000));
    const theirs = randomBytes(1000);
    if (mine === undefined) throw new Error();
    const upload = await store.begin(key, 1000, 1000, signal);
    const argv = [script, root, JSON.stringify(upload), theirs.toString("hex"), moment.toString()];
    const other = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
    const closed = once(other, "close");
    expect((await once(other.stdout, "data")).toString()).toBe("stalled\n");

    const stored = store
      .putPart(upload, mine, signal)
      .then(() => store.complete(upload, { sha256: mine.sha256 }, signal))
      .catch(() => store.complete(upload, { sha256: sha256Of(theirs) }, signal));
    // Either this is done while the other stands still, or it waits for the other.
    await Promise.race([stored, pause(500)]);
    other.kill("SIGCONT");
    await closed;
    const { sha256 } = await stored;
    expect(sha256Of(await buffer(await store.open(key, undefined, signal)))).toBe(sha256);
  });
});

describe("an account that is not root", () => {
  const nobody = 65_534;
  beforeEach(async () => {
    if (!isRoot) return;
    await chown(root, nobody, nobody);
    process.seteuid?.(nobody);
  });
  afterEach(() => {
    if (isRoot) process.seteuid?.(0);
  });

  it("goes on with an upload that could not be published", async () => {
    const content = randomBytes(2000);
    const upload = await store.begin(key, 2000, 1000, signal);
    for (const part of partsOf(content)) await store.putPart(upload, part, signal);
    const folder = path.join(root, ...key.split("/").slice(0, -1));
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o500);
    const finish = () => store.complete(upload, { sha256: sha256Of(content) }, signal);
    await expect(finish()).rejects.toEqual(code("policy.not-permitted"));
    await chmod(folder, 0o700);
    for (const part of partsOf(content)) await store.putPart(upload, part, signal);
    expect(await finish()).toMatchObject({ key, sizeBytes: 2000 });
  });

  it("lists its uploads beside those that it may not read", async () => {
    const other = await store.begin(key.replace("0001", "0002"), 2000, 1000, signal);
    const closed = await onlyUpload();
    await chmod(closed, 0);
    const mine = await store.begin(key, 2000, 1000, signal);
    const listed = await store.uploads(signal);
    await chmod(closed, 0o700);
    expect(listed.map(({ id }) => id)).toEqual([mine.id]);
    await store.abort(other, signal);
  });

  it("lists an upload whose content it may only read", async () => {
    const upload = await store.begin(key, 2000, 1000, signal);
    await chmod(path.join(await onlyUpload(), "content"), 0o440);
    expect(await store.uploads(signal)).toEqual([expect.objectContaining(upload)]);
  });
});

describe("links inside a store", () => {
  it.each([
    ["a case's folder", "01AB1234526", ".", "ABC_1"],
    ["an exhibit's folder", "01AB1234526/ABC_1", "01AB1234526", "."],
  ])("are refused as %s, for reading and for writing", async (_, name, parent, inside) => {
    const outside = await realpath(await mkdtemp(path.join(tmpdir(), "exhibit-outside-")));
    await mkdir(path.join(outside, inside), { recursive: true });
    await writeFile(path.join(outside, inside, "ABC_1-0001.mp4"), "secret");
    const held = await readdir(outside);
    await mkdir(path.join(root, parent), { recursive: true });
    await symlink(outside, path.join(root, name));
    const refused = code("policy.unsupported");
    await expect(store.open(key, undefined, signal)).rejects.toEqual(refused);
    await expect(store.stat(key, signal)).rejects.toEqual(refused);
    for (const other of [key.replace("0001", "0002"), key.replaceAll("ABC_1", "ABC_1_A")]) {
      if (other.startsWith(`${name}/`)) {
        const put = store.put(other, Buffer.from("x"), sha256Of("x"), signal);
        await expect(put).rejects.toEqual(refused);
      }
    }
    const keys = [];
    for await (const found of store.list("", signal)) keys.push(found.key);
    expect(keys).toEqual([]);
    expect(await readdir(outside)).toEqual(held);
    await rm(outside, { recursive: true });
  });

  it("are refused as a file", async () => {
    const file = path.join(root, ...key.split("/"));
    await mkdir(path.dirname(file), { recursive: true });
    await symlink("/etc/passwd", file);
    await expect(store.open(key, undefined, signal)).rejects.toEqual(code("policy.unsupported"));
  });
});

it("is never made where it is not there: a drive that is not connected looks like that", async () => {
  const missing = path.join(root, "not-connected");
  await expect(openDirectoryStore(missing)).rejects.toEqual(code("unavailable.store"));
  await expect(stat(missing)).rejects.toMatchObject({ code: "ENOENT" });
});

(isRoot ? describe : describe.skip)("a disk of its own", () => {
  const mib = 1024 * 1024;
  let disk: string;
  let full: Store;
  beforeAll(async () => {
    disk = await realpath(await mkdtemp(path.join(tmpdir(), "exhibit-small-")));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]);
    full = await openDirectoryStore(disk);
  });
  afterAll(async () => {
    execFileSync("umount", [disk]);
    await rm(disk, { recursive: true });
  });

  it("refuses what cannot fit before a byte is sent, counting what others still need", async () => {
    await expect(full.begin(key, 9 * mib, mib, signal)).rejects.toEqual(
      code("unavailable.no-space"),
    );
    const first = await full.begin(key, 5 * mib, mib, signal);
    const other = key.replace("0001", "0002");
    await expect(full.begin(other, 5 * mib, mib, signal)).rejects.toEqual(
      code("unavailable.no-space"),
    );
    await full.abort(first, signal);
    await full.abort(await full.begin(other, 5 * mib, mib, signal), signal);
  });

  it("keeps nothing of what did not fit, and goes on once there is room", async () => {
    const content = randomBytes(3 * mib);
    const upload = await full.begin(key, content.length, mib, signal);
    const [first, ...rest] = partsOf(content, mib);
    if (first === undefined) throw new Error();
    await full.putPart(upload, first, signal);
    await writeFile(path.join(disk, "filler"), Buffer.alloc(8 * mib)).catch(() => undefined);
    const noSpace = code("unavailable.no-space");
    for (const part of rest) {
      await expect(full.putPart(upload, part, signal)).rejects.toEqual(noSpace);
    }
    const small = key.replace("0001", "0003");
    await expect(
      full.put(small, content.subarray(mib), sha256Of(content.subarray(mib)), signal),
    ).rejects.toEqual(noSpace);
    expect(await full.stat(small, signal)).toBeUndefined();
    expect((await full.listParts(upload, signal)).map((part) => part.offset)).toEqual([0]);
    await rm(path.join(disk, "filler"));
    for (const part of rest) await full.putPart(upload, part, signal);
    await full.complete(upload, { sha256: sha256Of(content) }, signal);
    expect(await full.stat(key, signal)).toEqual({ key, sizeBytes: content.length });
  });

  it("says plainly that it may not be written", async () => {
    execFileSync("mount", ["-o", "remount,ro", disk]);
    try {
      const other = key.replace("0001", "0004");
      await expect(full.put(other, Buffer.from("x"), sha256Of("x"), signal)).rejects.toEqual(
        code("policy.not-permitted"),
      );
      await expect(full.begin(other, 1, 1, signal)).rejects.toEqual(code("policy.not-permitted"));
    } finally {
      execFileSync("mount", ["-o", "remount,rw", disk]);
    }
  });
});
