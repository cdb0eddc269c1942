import { mkdir, readFile, readdir, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { newMachine, type Machine } from "../support/cli.ts";

let machine: Machine;
let ordinal = 0;
const at = (...names: string[]): string => path.join(machine.folder, ...names);

/** Path in the folder, and how many days ago it was changed. */
const files: readonly (readonly [string, number])[] = [
  ["a.mp4", 1],
  ["B.MP4", 40],
  ["notes.txt", 1],
  ["night/c.mp4", 3],
  ["night/.hidden.mp4", 3],
  ["night/deep/d.jpg", 10],
];

beforeAll(async () => {
  machine = await newMachine();
  await mkdir(at("nas"));
  for (const [name, daysAgo] of files) {
    await mkdir(path.dirname(at("bus", name)), { recursive: true });
    await writeFile(at("bus", name), name);
    const time = new Date(Date.now() - daysAgo * 86_400_000);
    await utimes(at("bus", name), time, time);
  }
  await machine.exhibit(["store", "add", "nas", at("nas")]);
});
afterAll(() => rm(machine.folder, { recursive: true, force: true }));
beforeEach(() => {
  ordinal += 1;
});

const upload = (...more: string[]): string[] => [
  ...["upload", "--case", `C${ordinal}/26`, "--initials", "GN", ...more],
];
interface Outcome {
  readonly exhibits: readonly { readonly contents: readonly { readonly path: string }[] }[];
  readonly failed: readonly { readonly path: string; readonly code: string }[];
}
const pathsOf = ({ exhibits }: Outcome): string[] =>
  exhibits.flatMap(({ contents }) => contents.map((content) => content.path)).sort();

describe("choosing files", () => {
  it.each<[string[], string[]]>([
    [
      ["--include", "*.mp4"],
      ["a.mp4", "B.MP4", "night/.hidden.mp4", "night/c.mp4"],
    ],
    [
      ["--include", "*.mp4", "--exclude", ".*"],
      ["a.mp4", "B.MP4", "night/c.mp4"],
    ],
    [
      ["--include", "*.jpg", "--include", "*.txt"],
      ["night/deep/d.jpg", "notes.txt"],
    ],
    [
      ["--exclude", "night/**"],
      ["a.mp4", "B.MP4", "notes.txt"],
    ],
    [
      ["--include", "night/*.mp4"],
      ["night/.hidden.mp4", "night/c.mp4"],
    ],
    [["--include", "/a.mp4"], ["a.mp4"]],
    [
      ["--newer-than", "2d"],
      ["a.mp4", "notes.txt"],
    ],
    [
      ["--newer-than", new Date(Date.now() - 5 * 86_400_000).toISOString(), "--exclude", "*.txt"],
      ["a.mp4", "night/.hidden.mp4", "night/c.mp4"],
    ],
  ])("%j means what it says", async (options, wanted) => {
    const ran = await machine.exhibit(upload(at("bus"), "--json", ...options));
    expect([ran.code, ran.err]).toEqual([0, ""]);
    const found = pathsOf(ran.json() as unknown as Outcome);
    expect(found).toEqual(wanted.map((name) => `bus/${name}`).sort());
  });

  it.each<[string[], number, RegExp]>([
    [["--include", "*.avi"], 2, /--include/],
    [["--newer-than", "yesterday"], 2, /--newer-than/],
    [["--newer-than", "1s"], 2, /None of the files/],
    [["--files-from", "/nowhere/list"], 5, /\/nowhere\/list/],
    [["--report", "/nowhere/report"], 2, /\/nowhere\/report/],
  ])("%j is refused, and nothing is sent", async (options, code, words) => {
    const ran = await machine.exhibit(upload(at("bus"), ...options));
    expect([ran.code, ran.out]).toEqual([code, ""]);
    expect(ran.err).toMatch(words);
    expect(await readdir(at("nas"))).not.toContain(`C${ordinal}_26`);
  });

  it.each([
    ["lines", "a.mp4\r\nnight/deep/d.jpg\n\n", []],
    ["names that end with NUL", "a.mp4\0night/deep/d.jpg\0", ["--from0"]],
  ])("takes a list of %s from stdin, with folders as they are", async (_, input, more) => {
    const ran = await machine.exhibit(
      upload(at("bus"), "--files-from", "-", "--json", "--one-exhibit", ...more),
      { input },
    );
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect(pathsOf(ran.json() as unknown as Outcome)).toEqual(["a.mp4", "night/deep/d.jpg"]);
  });

  it("refuses a list that names what is not there, before anything is sent", async () => {
    await writeFile(at("list.txt"), "a.mp4\nmissing.mp4\n");
    const ran = await machine.exhibit(upload(at("bus"), "--files-from", at("list.txt")));
    expect([ran.code, ran.err]).toEqual([5, expect.stringContaining("missing.mp4")]);
    expect(await readdir(at("nas"))).not.toContain(`C${ordinal}_26`);
  });
});

describe("a dry run", () => {
  const said = async (...more: string[]) =>
    machine.exhibit(upload(at("bus"), "--dry-run", ...more));

  it("says what would be sent, and sends, reserves and writes nothing", async () => {
    const ran = await said("--include", "*.mp4", "--exclude", ".*");
    expect([ran.code, ran.out.split("\n").sort()]).toEqual([
      0,
      ["", "new  11  bus/night/c.mp4", "new  5  bus/B.MP4", "new  5  bus/a.mp4"],
    ]);
    expect(ran.err).toContain("3 exhibits to nas, 21 bytes to send. Nothing was sent");
    expect(await readdir(at("nas"))).not.toContain(`C${ordinal}_26`);
    expect((await machine.exhibit(["uploads", "list", "--json"])).json()).toMatchObject({
      jobs: [],
    });
  });

  it("knows what is there already", async () => {
    await machine.exhibit(upload(at("bus", "a.mp4")));
    const ran = await machine.exhibit(upload(at("bus", "a.mp4"), "--dry-run", "--json"));
    expect(ran.json()).toMatchObject({
      schema: "exhibit.dry-run/1",
      bytesToSend: 0,
      exhibits: [{ action: "compare", exhibit: `C${ordinal}/26:GN/1`, path: "a.mp4", bytes: 5 }],
    });
  });

  it("writes a report of what would become of everything", async () => {
    const report = at("plan.ndjson");
    await mkdir(at("planned"));
    await writeFile(at("planned", "a.mp4"), "planned");
    await symlink("/etc/hosts", at("planned", "link"));
    const ran = await machine.exhibit(upload(at("planned"), "--dry-run", "--report", report));
    expect(ran.code).toBe(0);
    const lines = (await readFile(report, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { type: "foreseen", path: "planned/a.mp4", action: "send", bytes: 7 },
      { type: "skipped", path: "planned/link" },
    ]);
  });

  it("fails as the upload would", async () => {
    const ran = await said("--ref", "GN/7");
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining("6 exhibits")]);
  });
});

describe("a report", () => {
  it("has a line for each exhibit, and for what was left out", async () => {
    const report = at("report.ndjson");
    await mkdir(at("mixed"));
    await writeFile(at("mixed", "a.mp4"), "a");
    await symlink("/etc/hosts", at("mixed", "link"));
    const ran = await machine.exhibit(upload(at("mixed"), "--report", report, "--json"));
    expect(ran.code).toBe(0);
    const lines = (await readFile(report, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { type: "skipped", path: "mixed/link", reason: expect.stringContaining("a link") },
      expect.objectContaining({ type: "exhibit", outcome: "uploaded", reference: "GN/1" }),
    ]);
    expect((await stat(report)).mode & 0o077).toBe(0);
  });

  it("names each failure by its code, while the others go on, and the command ends with 3", async () => {
    const report = at("report.ndjson");
    // A folder where the receipt of the first should go.
    await mkdir(at("state", "receipts", `C${ordinal}_26`, "GN_1.receipt.json"), {
      recursive: true,
    });
    const two = [at("bus", "a.mp4"), at("bus", "notes.txt")];
    const ran = await machine.exhibit(upload(...two, "--report", report, "--json"));
    expect(ran.code).toBe(3);
    const lines = (await readFile(report, "utf8")).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: "failed", path: "a.mp4", code: "usage.invalid" }),
        expect.objectContaining({ type: "exhibit", reference: "GN/2" }),
      ]),
    );
  });

  it("that cannot be written stops no upload, and is told at the end", async () => {
    const two = [at("bus", "a.mp4"), at("bus", "notes.txt")];
    const ran = await machine.exhibit(upload(...two, "--report", "/dev/full", "--json"));
    expect(ran.code).toBe(7);
    expect(JSON.parse(ran.err)).toMatchObject({ code: "unavailable.no-space" });
    const listed = await machine.exhibit(["list", "--case", `C${ordinal}/26`, "--json"]);
    expect(listed.json()).toMatchObject({ exhibits: [{ state: "sealed" }, { state: "sealed" }] });
  });
});
