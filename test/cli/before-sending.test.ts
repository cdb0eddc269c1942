import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { neededByOf } from "../../src/cli/needed-by.ts";
import { arrivalAt } from "../../src/evidence/time-of-arrival.ts";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { Source } from "../../src/evidence/ports/source.ts";
import { parseTimetable } from "../../src/evidence/timetable.ts";
import { finish, start } from "../support/built-program.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { makeClient, upload, uploadOf, type TestClient } from "../support/client.ts";
import { soon } from "../support/server.ts";

let machine: Machine;
let store: string;
beforeAll(async () => {
  machine = await newMachine();
  store = `file://${path.join(machine.folder, "nas")}`;
  await mkdir(path.join(machine.folder, "nas"));
  await machine.exhibit(["store", "add", "nas", store]);
});
afterAll(() => rm(machine.folder, { recursive: true, force: true }));

/** A source whose file reads otherwise the second time it is opened, though nothing tells that it has changed: a failing disk. */
function failingDisk(source: Source): Source {
  const opened = new Set<string>();
  return {
    list: (location, watcher) => source.list(location, watcher),
    open: async (location) => {
      const file = await source.open(location);
      const isSecond = opened.has(location) && location.endsWith("b.mp4");
      opened.add(location);
      return {
        ...file,
        read: async (buffer, offset) => {
          const filled = await file.read(buffer, offset);
          if (isSecond && offset === 0) buffer[0] = (buffer[0] ?? 0) ^ 1;
          return filled;
        },
      };
    },
  };
}

describe("exhibit upload --hash-first", () => {
  let client: TestClient;
  beforeAll(async () => {
    client = await makeClient();
  });
  afterAll(() => client.close());

  it.each([
    ["one after the other", 500],
    ["in parts", 200_000],
  ])(
    "tells every digest before anything is sent, and refuses what reads otherwise then: %s",
    async (_, size) => {
      client.events.length = 0;
      const content = (name: string): Buffer => Buffer.alloc(size, `${name} ${size}`);
      const folder = `cam-${size}`;
      for (const name of ["a", "b", "c"])
        await client.write(`${folder}/${name}.mp4`, content(name));
      const request = uploadOf([path.join(client.folder, "evidence", folder)], { hashFirst: true });
      const deps = { ...client.deps, source: failingDisk(client.deps.source) };
      const done = await upload(deps as TestClient["deps"], request, soon());
      expect(done.exhibits.map(({ contents }) => contents[0]?.path)).toEqual([
        `${folder}/a.mp4`,
        `${folder}/c.mp4`,
      ]);
      expect(done.failed).toMatchObject([{ code: "integrity.source-changed" }]);
      const types = client.events.map(({ type }) => type);
      expect(types.lastIndexOf("file-hashed")).toBeLessThan(types.indexOf("file-started"));
      expect(client.events.filter(({ type }) => type === "file-hashed")).toMatchObject(
        ["a", "b", "c"].map((name) => ({ sha256: sha256Of(content(name)) })),
      );
    },
  );

  it("prints digests on stderr, as lines or as JSON", async () => {
    const file = path.join(machine.folder, "bus 42.mp4");
    await writeFile(file, "video");
    const argv = ["upload", file, "--case", "X/1", "--initials", "ABC", "--hash-first"];
    const plain = await machine.exhibit(argv);
    expect([plain.code, plain.err]).toEqual([
      0,
      expect.stringContaining(`${sha256Of("video")}  bus 42.mp4\n`),
    ]);
    const json = await machine.exhibit([...argv, "--json"]);
    expect(JSON.parse(json.err)).toEqual({
      type: "file-hashed",
      path: "bus 42.mp4",
      sizeBytes: 5,
      sha256: sha256Of("video"),
    });
  });
});

describe("exhibit upload --needed-by", () => {
  const monday = new Date("2026-11-23T17:00:00Z");
  const mib = 1024 * 1024;
  it.each<[string, number, number, string, string | undefined]>([
    ["the measured speed", 60 * mib, mib, "off", "2026-11-23T17:01:00.000Z"],
    ["a limit that holds", 60 * mib, mib, "1M", "2026-11-23T17:01:00.000Z"],
    [
      "a limit that ends",
      3600 * mib + 7200 * mib,
      mib,
      "08:00,1M 18:00,off",
      "2026-11-23T20:00:00.000Z",
    ],
    [
      "a limit that rises",
      3600 * mib + 36_000 * mib,
      mib,
      "08:00,1M 18:00,10M",
      "2026-11-23T19:00:00.000Z",
    ],
    [
      "a line that is slower than the limit",
      7200 * mib,
      mib,
      "08:00,4M 18:00,10M",
      "2026-11-23T19:00:00.000Z",
    ],
    [
      "a limit that begins",
      3600 * mib * 4 + 3600 * mib,
      4 * mib,
      "08:00,off 18:00,1M",
      "2026-11-23T19:00:00.000Z",
    ],
    ["more than a fortnight", 1e15, mib, "off", undefined],
  ])("foresees the arrival by %s", (_, left, measured, table, arrival) => {
    const at = arrivalAt(left, measured, parseTimetable(table, "--bwlimit"), monday, "UTC");
    if (arrival === undefined) expect(at).toBeUndefined();
    else expect(Math.abs((at?.getTime() ?? 0) - Date.parse(arrival))).toBeLessThan(61_000);
  });

  it("takes a time of today, or a day, and refuses what has passed or is none", () => {
    const noon = new Date(2026, 10, 23, 12, 0);
    expect(neededByOf("15:00", noon)).toEqual(new Date(2026, 10, 23, 15, 0));
    expect(neededByOf("2026-11-24 09:00", noon)).toEqual(new Date(2026, 10, 24, 9, 0));
    expect(() => neededByOf("11:59", noon)).toThrow("has passed");
    expect(() => neededByOf("soon", noon)).toThrow("is not a time");
  });

  it.each([
    ["25:00", []],
    ["15.00", ["--dry-run"]],
  ])("ends at once, and sends nothing, when it is told %s", async (words, more) => {
    const file = path.join(machine.folder, "short.mp4");
    await writeFile(file, "video");
    const argv = ["upload", file, "--case", "X/3", "--initials", "ABC", "--store", store];
    const ended = await finish(start(machine.folder, [...argv, "--needed-by", words, ...more]));
    expect([ended.code, ended.err]).toEqual([
      2,
      `error: --needed-by is not a time: "${words}".\nWrite 15:00 (today), or "2026-11-21 15:00".\n`,
    ]);
  });

  it("says while it is sent that it will be late, and what to do", async () => {
    const file = path.join(machine.folder, "long.mp4");
    await writeFile(file, Buffer.alloc(8 * mib, "x"));
    const needed = new Date(Date.now() + 9000).toISOString();
    const child = start(machine.folder, [
      ...["upload", file, "--case", "X/2", "--initials", "ABC", "--bwlimit", "200K"],
      ...["--part-size", "64K", "--needed-by", needed, "--store", store],
    ]);
    let said = "";
    for await (const line of createInterface({ input: child.stderr })) {
      said = line;
      if (line.includes("which is after")) break;
    }
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(said).toMatch(/^All will arrive at about \d\d:\d\d, which is after \d\d:\d\d\. Raise/);
  });
});
