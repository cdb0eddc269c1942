import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { execFileSync } from "node:child_process";
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type {
  SkippedEntry,
  SourceEntry,
  UnlistedEntry,
  WalkWatcher,
} from "../../src/evidence/ports/source.ts";
import { destinationSegments } from "../../src/platform/destination-names.ts";
import { fileDestination } from "../../src/platform/file-destination.ts";
import { fileSource } from "../../src/platform/file-source.ts";

const source = fileSource();
const destination = fileDestination();
let folder: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), "exhibit-files-")));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function listed(
  location: string,
): Promise<{ files: SourceEntry[]; skipped: SkippedEntry[]; unlisted: UnlistedEntry[] }> {
  const skipped: SkippedEntry[] = [];
  const unlisted: UnlistedEntry[] = [];
  const files: SourceEntry[] = [];
  const watcher: WalkWatcher = {
    skipped: (entry) => skipped.push(entry),
    unlisted: (entry) => unlisted.push(entry),
  };
  for await (const entry of source.list(location, watcher)) {
    files.push(entry);
  }
  return { files, skipped, unlisted };
}

const awkward = [
  "a b.mp4",
  'quote\'s "and" more.mp4',
  "🚓.mp4",
  "‮evil‬.mp4",
  "עדות.mp4",
  "new\nline.mp4",
  `${"é".repeat(125)}.mp4`,
  "back\\slash.mp4",
  "-dash",
];

describe("a folder as a source", () => {
  it("lists files in order of their names' bytes, with paths from the argument's parent on", async () => {
    await mkdir(path.join(folder, "footage", "cam2"), { recursive: true });
    for (const name of ["b", "B", "é", "a", "cam2/x", "cam"]) {
      await writeFile(path.join(folder, "footage", name), name);
    }
    const { files, skipped } = await listed(path.join(folder, "footage"));
    expect(skipped).toEqual([]);
    expect(files.map((file) => file.path)).toEqual(
      ["B", "a", "b", "cam", "cam2/x", "é"].map((name) => `footage/${name}`),
    );
    const [first] = (await listed(path.join(folder, "footage", "b"))).files;
    expect(first).toMatchObject({ path: "b", sizeBytes: 1, pathBytes: undefined });
  });

  it.each(awkward)("keeps the name %j as it is", async (name) => {
    await writeFile(path.join(folder, name), "content");
    const [entry] = (await listed(folder)).files;
    expect(entry?.path).toBe(`${path.basename(folder)}/${name}`);
    const file = await source.open(entry?.location ?? "");
    const bytes = Buffer.alloc(7);
    expect(await file.read(bytes, 0)).toBe(7);
    expect(bytes.toString()).toBe("content");
    await file.close();
  });

  it("keeps the bytes of a name that is not UTF-8, and finds the file again", async () => {
    const name = Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9, 0xff])]);
    await writeFile(name, "latin");
    const [entry] = (await listed(folder)).files;
    expect(entry?.path).toBe(`${path.basename(folder)}/caf\u{fffd}\u{fffd}`);
    const raw = Buffer.from(entry?.pathBytes ?? "", "hex");
    expect(raw.subarray(-5)).toEqual(Buffer.from([0x63, 0x61, 0x66, 0xe9, 0xff]));
    const file = await source.open(entry?.location ?? "");
    expect(file.stat.sizeBytes).toBe(5);
    await file.close();
  });

  it("reports what is not a file and goes on", async () => {
    await mkdir(path.join(folder, "in"));
    const inner = path.join(folder, "in");
    execFileSync("mkfifo", [path.join(inner, "pipe")]);
    await symlink("/etc/passwd", path.join(inner, "link"));
    await symlink("..", path.join(inner, "loop"));
    const server = createServer().listen(path.join(inner, "socket"));
    await writeFile(path.join(inner, "z"), "");
    const { files, skipped } = await listed(inner);
    server.close();
    expect(files.map((file) => file.path)).toEqual(["in/z"]);
    expect(skipped).toEqual([
      { path: "in/link", reason: expect.stringContaining("link") },
      { path: "in/loop", reason: expect.stringContaining("link") },
      { path: "in/pipe", reason: expect.stringContaining("pipe") },
      { path: "in/socket", reason: expect.stringContaining("socket") },
    ]);
  });

  it("reports a folder it may not read, and names a file it may not read", async () => {
    const closed = path.join(folder, "closed");
    await mkdir(closed);
    await writeFile(path.join(folder, "secret"), "x");
    await chmod(closed, 0);
    await chmod(path.join(folder, "secret"), 0);
    await chmod(folder, 0o755);
    const asNobody = process.getuid?.() === 0;
    if (asNobody) process.seteuid?.(65_534);
    try {
      const { files, unlisted } = await listed(folder);
      expect(unlisted).toEqual([
        {
          path: `${path.basename(folder)}/closed`,
          error: expect.objectContaining({ code: "unavailable.source" }),
        },
      ]);
      await expect(source.open(files[0]?.location ?? "")).rejects.toMatchObject({
        code: "unavailable.source",
        message: expect.stringContaining("secret"),
      });
    } finally {
      if (asNobody) process.seteuid?.(0);
      await chmod(closed, 0o700);
    }
  });

  it.each([
    ["a link", (at: string) => symlink("/etc/passwd", at), "not-found.source"],
    [
      "a FIFO without a writer",
      (at: string) => void execFileSync("mkfifo", [at]),
      "not-found.source",
    ],
    ["a folder", (at: string) => mkdir(at), "not-found.source"],
    ["nothing", () => undefined, "not-found.source"],
  ])("refuses to open %s, without waiting", async (_, make, code) => {
    const at = path.join(folder, "thing");
    await make(at);
    await expect(source.open(at)).rejects.toMatchObject({ code });
  });

  it("says so when there is nothing at a path", async () => {
    await expect(listed(path.join(folder, "nowhere"))).rejects.toMatchObject({
      code: "not-found.source",
      message: expect.stringContaining("nowhere"),
    });
  });

  it.each([
    ["written to", (at: string) => appendFile(at, "x"), "differs"],
    ["cut", (at: string) => truncate(at, 1), "differs"],
    [
      "rewritten with its size and time kept",
      async (at: string) => {
        const { mtime } = await stat(at);
        await writeFile(at, "CONTENT");
        await utimes(at, mtime, mtime);
      },
      "differs",
    ],
    ["moved", (at: string) => rename(at, `${at}.old`), "fails"],
    ["deleted", (at: string) => rm(at), "fails"],
    [
      "replaced by another",
      async (at: string) => {
        await writeFile(`${at}.new`, "content");
        await rename(`${at}.new`, at);
      },
      "fails",
    ],
  ])("notices that an open file was %s", async (_, change, how) => {
    const at = path.join(folder, "file");
    await writeFile(at, "content");
    const file = await source.open(at);
    expect(await file.statAgain()).toEqual(file.stat);
    await change(at);
    if (how === "differs") {
      expect((await file.statAgain()).version).not.toBe(file.stat.version);
    } else {
      await expect(file.statAgain()).rejects.toMatchObject({ code: "integrity.source-changed" });
    }
    await file.close();
  });
});

describe("a folder as a destination", () => {
  const modified = new Date("2020-02-29T12:00:00.000Z");

  it.each(["a.txt", "deep/er/a.txt", "255/".repeat(3) + "é".repeat(127), ...awkward])(
    "restores %j under its own name, with its time, and leaves nothing else",
    async (name) => {
      const place = destination.place(folder, { path: name, pathBytes: undefined });
      expect(await place.state()).toEqual({ finishedBytes: undefined, partialBytes: undefined });
      const writer = await place.write(0);
      await writer.append(Buffer.from("one "));
      await writer.append(Buffer.from("two"));
      expect(await place.state()).toEqual({ finishedBytes: undefined, partialBytes: 7 });
      await writer.finish(modified);
      await writer.close();
      expect(place.name).toBe(name);
      const at = path.join(folder, name);
      expect(await readFile(at, "utf8")).toBe("one two");
      expect((await stat(at)).mtime).toEqual(modified);
      expect(await readdir(path.dirname(at))).toEqual([path.basename(name)]);
    },
  );

  it("restores the bytes of a name that is not UTF-8", async () => {
    const bytes = Buffer.from([0x64, 0x2f, 0x63, 0xe9]);
    const name = { path: "d/c\u{fffd}", pathBytes: bytes.toString("hex") };
    const writer = await destination.place(folder, name).write(0);
    await writer.finish(modified);
    const [found] = await readdir(path.join(folder, "d"), { encoding: "buffer" });
    expect(found).toEqual(Buffer.from([0x63, 0xe9]));
  });

  it("goes on behind what it keeps of a partial file", async () => {
    const place = destination.place(folder, { path: "a", pathBytes: undefined });
    const first = await place.write(0);
    await first.append(Buffer.from("abcdef"));
    await first.close();
    const second = await place.write(3);
    await second.append(Buffer.from("DEF"));
    await second.finish(modified);
    expect(await readFile(path.join(folder, "a"), "utf8")).toBe("abcDEF");
  });

  it("lets one download at a time write a file, and publishes only what that one wrote", async () => {
    const place = destination.place(folder, { path: "deep/a", pathBytes: undefined });
    const first = await place.write(0);
    await first.append(Buffer.from("whole"));
    await expect(place.write(0)).rejects.toMatchObject({
      code: "conflict.locked",
      message: expect.stringContaining("deep/a"),
    });
    const other = await destination.place(folder, { path: "b", pathBytes: undefined }).write(0);
    await other.close();
    await first.finish(modified);
    await first.close();
    await first.close();
    expect(await readFile(path.join(folder, "deep/a"), "utf8")).toBe("whole");
    const again = await place.write(0);
    await again.close();
    expect((await readdir(folder)).filter((name) => name.endsWith(".lock"))).toEqual([]);
  });

  it("never overwrites a file that came in between", async () => {
    const place = destination.place(folder, { path: "a", pathBytes: undefined });
    const writer = await place.write(0);
    await writeFile(path.join(folder, "a"), "other");
    await expect(writer.finish(modified)).rejects.toMatchObject({ code: "conflict.exists" });
    expect(await readFile(path.join(folder, "a"), "utf8")).toBe("other");
  });

  it.each([
    "../up",
    "a/../../up",
    "/etc/passwd",
    "a//b",
    "./a",
    "",
    "a/",
    "nul\0byte",
    { path: "shown", pathBytes: Buffer.from("x/../../up").toString("hex") },
  ])("refuses the hostile name %j", (name) => {
    const given = typeof name === "string" ? { path: name, pathBytes: undefined } : name;
    expect(() => destination.place(folder, given)).toThrow(
      expect.objectContaining({ code: "policy.unsupported" }),
    );
  });

  it("goes through no link that lies in the folder", async () => {
    await symlink("/tmp", path.join(folder, "out"));
    const place = destination.place(folder, { path: "out/a", pathBytes: undefined });
    await expect(place.write(0)).rejects.toMatchObject({ code: "conflict.exists" });
  });

  it.each([
    ["10:15 <cam>?.mp4", "10~3A15 ~3Ccam~3E~3F.mp4"],
    ["con.txt", "~63on.txt"],
    ["LPT1", "~4CPT1"],
    ["console.txt", "console.txt"],
    ["trailing. .", "trailing~2E~20~2E"],
    ["a\\b", "a~5Cb"],
    ["~3A", "~7E3A"],
    ["café 🚓", "café 🚓"],
  ])("maps %j on Windows to %j", (name, mapped) => {
    const segments = destinationSegments({ path: `d/${name}`, pathBytes: undefined }, "win32");
    expect(segments.map(String)).toEqual(["d", mapped]);
  });
});
