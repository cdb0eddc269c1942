import { mkdir, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { newMachine, type Machine, type Ran } from "../support/cli.ts";

let machine: Machine;
const at = (...names: string[]): string => path.join(machine.folder, "calls", ...names);
const nas = (): string => `file://${path.join(machine.folder, "nas")}`;

beforeAll(async () => {
  machine = await newMachine();
  await mkdir(at("night"), { recursive: true });
  await mkdir(path.join(machine.folder, "nas"));
  for (const name of ["a.wav", "b.wav", "c.wav", "night/d.wav"]) {
    await writeFile(at(name), `call ${name}`);
  }
});
afterAll(() => rm(machine.folder, { recursive: true, force: true }));

let lists = 0;
async function upload(content: string | Buffer, ...more: string[]): Promise<Ran> {
  lists += 1;
  await writeFile(at(`list-${lists}.csv`), content);
  return machine.exhibit(["upload", "--csv", at(`list-${lists}.csv`), "--store", nas(), ...more]);
}

const rowsOf = ({ out }: Ran): { state: string }[] =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { state: string });

describe("a list that is not right", () => {
  it("is refused before anything is sent, with every wrong row", async () => {
    const rows = [
      "file,case,reference,source-id,recorded-from,recorded-to",
      "missing.wav,BAD/1,,,,",
      "a.wav,BAD/1,ABC/1,s-1,,",
      "b.wav,BAD/1,ABC/1,s-1,,",
      "a.wav,BAD/1,,,,",
      "c.wav,BAD?,ABC,,31/02/2026 10:00,",
      "c.wav,BAD/2,,,03/04/26 10:00,21/11/2026",
      "c.wav,BAD/3,,,25/10/2026 01:30,29/03/2026 01:30",
      "c.wav,BAD/4,,,2026-11-21 15:00,2026-11-21 14:00",
      "c.wav,,,,11/21/2026 10:00,12345.5",
      "night,BAD/5,,,,",
      "c.wav,BAD/6,,,,,too,many",
      "c.wav,BAD/7,,,Sat 21 Nov 2026,",
      "c.wav,BAD/8,,,,",
    ].join("\n");
    const ran = await upload(rows, "--json", "--time-zone", "Europe/London");
    const said = ran.err
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(said.at(-1)).toMatchObject({
      type: "error",
      code: "usage.invalid",
      facts: { wrongRows: 11 },
    });
    const told = said.slice(0, -1).map(({ row, message }) => [row, message]);
    const has = (text: string) => expect.stringContaining(text);
    expect(told).toEqual([
      [2, has("missing.wav")],
      [4, has("reference ABC/1 is used in row 3")],
      [4, has("source-id s-1 is that of another file in row 3")],
      [5, has("the file is in row 3 already, for the same case")],
      [6, has('case "BAD?" must start')],
      [6, has('reference "ABC" must look like')],
      [6, has("was read as day 31, month 2, year 2026, and there is no such day")],
      [7, has("was read as day 3, month 4, year 26, and two digits")],
      [7, has("is a day without a time")],
      [8, has("twice, because the clocks changed")],
      [8, has("never, because the clocks changed")],
      [9, has("recorded-to (understood as 2026-11-21T14:00:00Z) is before")],
      [10, has("case is empty")],
      [10, has("was read as day 11, month 21")],
      [10, has("as Excel's number of a day it is far from today")],
      [11, has("a folder")],
      [12, has("more cells than there are columns")],
      [13, has('"Sat 21 Nov 2026". Write 21/11/2026 14:05 (day first)')],
    ]);
    expect((await machine.exhibit(["list", "--store", nas()])).out).toBe("");
  });

  it("tells 20 wrong rows, and how many more there are", async () => {
    const rows = Array.from({ length: 50 }, (_, index) => `${index}.wav,BAD/1`).join("\n");
    const ran = await upload(`file,case\n${rows}\n`);
    expect(ran.code).toBe(2);
    expect(ran.err.match(/^row \d+:/gm)).toHaveLength(20);
    expect(ran.err).toContain("and 30 more rows.");
    expect(ran.err).toContain("50 rows of list-");
  });

  it.each<[string, string | Buffer, readonly string[], string]>([
    ["no column of files", "path,case\na.wav,X/1\n", [], 'has no column "file"'],
    [
      "no column that was named",
      "file,case\na.wav,X/1\n",
      ["--map", "case=CAD"],
      'has no column "CAD"',
    ],
    ["a column twice", "file,File,case\na.wav,b.wav,X/1\n", [], "two columns"],
    ["a workbook", Buffer.from("PK\u0003\u0004rest"), [], "Excel workbook"],
    ["no text", Buffer.from("file,case\n\0\0\0"), [], "not text"],
    ["nothing", "", [], "is empty"],
    [
      "a quote that is never closed",
      'file,case\n"a.wav,X/1\nb.wav,X/1\n',
      [],
      "row 2 cannot be read",
    ],
    [
      "a map that means nothing",
      "file,case\na.wav,X/1\n",
      ["--map", "datei=x"],
      "--map cannot be understood",
    ],
    [
      "a flag for one exhibit",
      "file,case\na.wav,X/1\n",
      ["--ref", "ABC/1"],
      "--ref does not go with --csv",
    ],
    ["a path beside it", "file,case\na.wav,X/1\n", ["x.wav"], "A path does not go with --csv"],
    ["no such time zone", "file,case\na.wav,X/1\n", ["--time-zone", "Mars/1"], "not a time zone"],
  ])("is refused for %s", async (_, content, more, words) => {
    const ran = await upload(content, ...more);
    expect([ran.code, ran.out, ran.err]).toEqual([2, "", expect.stringContaining(words)]);
  });

  it("is not found where there is none", async () => {
    const ran = await machine.exhibit(["upload", "--csv", at("none.csv")]);
    expect([ran.code, ran.err]).toEqual([5, expect.stringContaining("none.csv")]);
    const piped = await machine.exhibit(["upload", "--csv", "-"], { input: "file,case\n" });
    expect([piped.code, piped.err]).toEqual([2, expect.stringContaining("save it as a file")]);
  });
});

describe("a list with a column that is spelt otherwise", () => {
  it("is told of by --dry-run, when it can still be put right", async () => {
    const rows = "file,case,reference,refrence\na.wav,DRY/1,ABC/1,ABC/2\n";
    const plain = await upload(rows, "--dry-run");
    const line = "Columns of the list that are not used: refrence.\n";
    expect([plain.code, plain.err]).toEqual([0, expect.stringContaining(line)]);
    const json = await upload(rows, "--dry-run", "--json");
    expect([json.err, json.json()]).toMatchObject(["", { unusedColumns: ["refrence"] }]);
  });
});

describe("a list for a store that is a folder", () => {
  it("needs initials where a row has no reference", async () => {
    const rows = "file,case,reference\na.wav,NAS/1,ABC/1\nb.wav,NAS/1,\n";
    const without = await upload(rows);
    expect([without.code, without.err]).toEqual([2, expect.stringContaining("--initials")]);
    const given = await upload(rows.replace(/b.wav.*\n/, ""), "--json");
    expect([given.code, rowsOf(given)]).toMatchObject([0, [{ reference: "ABC/1" }]]);
    const allotted = await upload(rows, "--json", "--initials", "XY");
    expect([allotted.code, rowsOf(allotted)]).toMatchObject([
      0,
      [{ state: "already-present" }, { reference: "XY/1", state: "uploaded" }],
    ]);
    const time = new Date("2026-11-25T08:00:00Z");
    await mkdir(at("twin"));
    await writeFile(at("twin.wav"), "1");
    await writeFile(path.join(machine.folder, "twin.wav"), "2");
    for (const file of [at("twin.wav"), path.join(machine.folder, "twin.wav")]) {
      await utimes(file, time, time);
    }
    const twins = await upload("file,case\ntwin.wav,NAS/2\n../twin.wav,NAS/2\n");
    expect([twins.code, twins.err]).toEqual([2, expect.stringContaining("give both a source-id")]);
  });
});
