import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { link, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { childOf, finish, start, startTraced } from "../support/built-program.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { findUnflushed, flushCalls } from "../support/flush-trace.ts";

const isRoot = process.getuid?.() === 0;
const mib = 1024 * 1024;
const limitMs = 60_000;
let machine: Machine;
const at = (...names: string[]): string => path.join(machine.folder, ...names);

beforeEach(async () => {
  machine = await newMachine();
  await mkdir(at("nas"));
  await mkdir(at("export"));
  await machine.exhibit(["store", "add", "nas", at("nas")]);
});
afterEach(() => rm(machine.folder, { recursive: true, force: true }));

const upload = (what: string, ...more: string[]): string[] => [
  ...["upload", what, "--case", "D/1", "--initials", "ABC", "--json"],
  ...["--part-size", "64K", "--concurrency", "1", ...more],
];

interface Document {
  readonly exhibits: readonly {
    readonly bytesSkipped: number;
    readonly contents: readonly { readonly key: string; readonly sha256: string }[];
  }[];
  readonly failed: readonly { readonly path: string; readonly code: string }[];
}

/** Everything is there and proved once the same command is run again where nothing fails. */
async function expectGoesOn(argv: string[], contents: readonly Buffer[]): Promise<Document> {
  const again = await machine.exhibit(argv);
  const done = again.json() as unknown as Document;
  expect([again.code, done.failed]).toEqual([0, []]);
  const stored = done.exhibits.map((exhibit) => exhibit.contents[0]?.sha256);
  expect(stored).toEqual(contents.map((bytes) => sha256Of(bytes)));
  return done;
}

describe("a disk that fails while it is read", () => {
  it.each([
    ["a read", "pread64:error=EIO:when=4+", "cannot be read at byte 196608"],
    ["a look at the file", "statx:error=ESTALE:when=9+", "can no longer be reached"],
  ])(
    "with %s: that file fails, the rest goes, and the same command ends it later",
    async (_, inject, words) => {
      const [bad, good] = [randomBytes(8 * 64 * 1024), randomBytes(1000)];
      await writeFile(at("export", "a bad.mp4"), bad);
      await writeFile(at("export", "b.mp4"), good);
      const call = inject.slice(0, inject.indexOf(":"));
      const strace = ["-P", at("export", "a bad.mp4"), "-e", `trace=${call}`];
      const argv = upload(at("export"));
      const ran = await finish(
        startTraced(machine.folder, [...strace, "-e", `inject=${inject}`, "-o", at("trace")], argv),
      );
      expect(await readFile(at("trace"), "utf8")).toContain("(INJECTED)");
      expect([ran.code, ran.err]).toEqual([3, ""]);
      const { exhibits, failed } = JSON.parse(ran.out) as Document;
      expect(exhibits).toMatchObject([{ reference: "ABC/2" }]);
      expect(failed).toMatchObject([
        { code: "unavailable.source", message: expect.stringContaining(words) },
      ]);
      expect(await readdir(at("nas", "D_1", "ABC_1"))).not.toContain("record.json");
      const done = await expectGoesOn(argv, [bad, good]);
      expect(done.exhibits[0]?.bytesSkipped).toBeGreaterThanOrEqual(2 * 64 * 1024);
    },
    limitMs,
  );

  (isRoot ? it : it.skip)(
    "because it is a network drive that drops away: told, and the same command goes on once it is back",
    async () => {
      await mkdir(at("drive"));
      const bytes = randomBytes(2 * mib);
      await writeFile(at("drive", "night.mp4"), bytes);
      const connect = (): void => {
        execFileSync("mount", ["--bind", at("drive"), at("export")]);
      };
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", at("drive")]);
      try {
        await writeFile(at("drive", "night.mp4"), bytes);
        connect();
        const file = at("export", "night.mp4");
        const argv = upload(file, "--bwlimit", "256K", "--progress", "json");
        const child = start(machine.folder, argv);
        const closed = once(child, "close") as Promise<[number]>;
        let isConnected = true;
        let words = "";
        for await (const line of createInterface({ input: child.stderr })) {
          if (line.includes('"part-done"') && isConnected) {
            execFileSync("umount", ["-l", at("export")]);
            isConnected = false;
          }
          words += line;
        }
        expect((await closed)[0]).toBe(7);
        expect(isConnected).toBe(false);
        expect(words).toContain("can no longer be reached");
        const away = await machine.exhibit(upload(file));
        expect([away.code, away.err]).toEqual([5, expect.stringContaining("connected")]);
        connect();
        const done = await expectGoesOn(upload(file), [bytes]);
        expect(done.exhibits[0]?.bytesSkipped).toBeGreaterThan(0);
        execFileSync("umount", [at("export")]);
      } finally {
        execFileSync("umount", ["-l", at("drive")]);
      }
    },
    limitMs,
  );
});

it.each(["EPERM", "EISDIR"])(
  "a stick without hard links, which says %s to them, takes and gives like any other disk",
  async (code) => {
    const bytes = randomBytes(mib);
    await writeFile(at("export", "night.mp4"), bytes);
    const inject = ["-e", "trace=link,linkat", "-e", `inject=link,linkat:error=${code}`];
    const strace = [...inject, "-o", at("trace")];
    const sent = await finish(
      startTraced(machine.folder, strace, upload(at("export"), "--give-up-after", "5s")),
    );
    expect([sent.code, (JSON.parse(sent.out) as Document).failed]).toEqual([0, []]);
    const content = at("nas", "D_1", "ABC_1", "ABC_1-0001.mp4");
    expect((await readFile(content)).equals(bytes)).toBe(true);
    expect((await stat(content)).mode & 0o777).toBe(0o440);
    const fetch = ["download", "D/1:ABC/1", "--to", at("back")];
    expect((await finish(startTraced(machine.folder, strace, fetch))).code).toBe(0);
    expect((await readFile(at("back", "export", "night.mp4"))).equals(bytes)).toBe(true);
    expect(await readFile(at("trace"), "utf8")).toContain(`${code} `);
  },
  limitMs,
);

it("hard links are sent as the two files that they are, each exhibit with its own content", async () => {
  const bytes = randomBytes(100_000);
  await writeFile(at("export", "a.mp4"), bytes);
  await link(at("export", "a.mp4"), at("export", "b.mp4"));
  const { exhibits } = await expectGoesOn(upload(at("export")), [bytes, bytes]);
  const stored = await Promise.all(
    exhibits.map(({ contents }) => stat(at("nas", contents[0]?.key ?? ""))),
  );
  expect(new Set(stored.map(({ ino }) => ino)).size).toBe(2);
});

it("a path longer than Windows' old limit is sent and restored", async () => {
  const folders = Array.from({ length: 12 }, (_, level) => `${level}`.repeat(60).slice(0, 60));
  const bytes = randomBytes(1000);
  await mkdir(at("export", ...folders), { recursive: true });
  await writeFile(at("export", ...folders, "a.mp4"), bytes);
  const ran = await machine.exhibit(upload(at("export"), "--one-exhibit"));
  expect(ran.code).toBe(0);
  const back = await machine.exhibit(["download", "D/1:ABC/1", "--to", at("back")]);
  expect([back.code, back.err]).toEqual([0, expect.stringContaining("every file is what")]);
  expect((await readFile(at("back", "export", ...folders, "a.mp4"))).equals(bytes)).toBe(true);
});

(isRoot ? it : it.skip)(
  "a full disk for receipts is told as that; the same command gives the receipt once there is room",
  async () => {
    await writeFile(at("export", "a.mp4"), "a");
    await mkdir(at("small"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", at("small")]);
    try {
      await writeFile(at("small", "filler"), Buffer.alloc(mib)).catch(() => undefined);
      const argv = upload(at("export", "a.mp4"), "--receipt", at("small", "receipt.json"));
      const ran = await machine.exhibit(argv);
      expect([ran.code, ran.json()]).toMatchObject([
        7,
        { exhibits: [], failed: [{ code: "unavailable.no-space" }] },
      ]);
      expect(await readdir(at("small"))).toEqual(["filler"]);
      await rm(at("small", "filler"));
      const again = await machine.exhibit(argv);
      expect(again.json()).toMatchObject({ exhibits: [{ outcome: "already-present" }] });
      expect(await readdir(at("small"))).toEqual(["receipt.json"]);
    } finally {
      execFileSync("umount", ["-l", at("small")]);
    }
  },
);

it(
  "a power cut takes nothing that was acknowledged: all is flushed before each answer and result, also where a flush fails first",
  async () => {
    const [serverTrace, clientTrace] = [at("server-trace"), at("client-trace")];
    const traced = ["-y", "-s", "40", "-e", `trace=${flushCalls}`];
    // Content and its log are flushed with fdatasync, the database with fsync.
    const failing = ["-e", "inject=fdatasync:error=EIO:when=1..3+2"];
    const server = startTraced(
      machine.folder,
      [...traced, ...failing, "-o", serverTrace],
      [
        ...["serve", "--json", "--port", "0", "--data", at("data")],
        ...["--invitation-file", at("invitation")],
      ],
    );
    const closed = once(server, "close");
    const [line] = (await once(createInterface({ input: server.stdout }), "line")) as [string];
    const { url } = JSON.parse(line) as { url: string };
    const login = await machine.exhibit(["login", url, "--invite-stdin"], {
      input: await readFile(at("invitation"), "utf8"),
    });
    expect(login.code).toBe(0);
    await writeFile(at("export", "a.mp4"), randomBytes(5 * 64 * 1024));
    await writeFile(at("export", "b.mp4"), "small");
    const ran = await finish(
      startTraced(
        machine.folder,
        [...traced, "-o", clientTrace],
        upload(at("export"), "--store", "local"),
      ),
    );
    process.kill(childOf(server.pid), "SIGTERM");
    await closed;
    expect([ran.code, JSON.parse(ran.out)]).toMatchObject([0, { failed: [] }]);

    const lasts = /\/(?:content\/.*|exhibit\.sqlite(?:-wal)?)$/;
    const said = /^(?:write|writev|sendto)\(\d+<socket:.*"HTTP\/1\.1 2/;
    const text = await readFile(serverTrace, "utf8");
    const far = findUnflushed(
      text,
      (file) => file.startsWith(at("data")) && lasts.test(file),
      said,
    );
    expect(text).toContain("(INJECTED)");
    expect(far.claims).toBeGreaterThan(10);
    expect(far.unflushed).toEqual([]);
    const near = findUnflushed(
      await readFile(clientTrace, "utf8"),
      // What a queue loses is found again, by walking the source and asking the store.
      (file) => file.startsWith(at("state")) && !/-shm$|\/queues\//.test(file),
      /^write\(1</,
    );
    expect(near.claims).toBeGreaterThan(0);
    expect(near.unflushed).toEqual([]);
  },
  limitMs,
);
