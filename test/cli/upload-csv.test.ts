import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { newMachine, type Machine, type Ran } from "../support/cli.ts";
// Loaded here, because jest cannot load several modules at once when they are first needed.
import "../../src/stores/server/accounts.ts";
import "../../src/stores/server/bundles.ts";
import "../../src/stores/server/register.ts";
import "../../src/stores/server/sharing.ts";
import "../../src/stores/server/store.ts";
import { startServer, type TestServer } from "../support/server.ts";

interface RowDocument {
  readonly schema: string;
  readonly row: number;
  readonly file: string;
  readonly case: string;
  readonly reference: string;
  readonly state: string;
  readonly sha256?: string;
  readonly receipt?: string;
  readonly code?: string;
}

let server: TestServer;
let machine: Machine;
const at = (...names: string[]): string => path.join(machine.folder, "calls", ...names);
const files = ["a.wav", "b.wav", "c.wav", "night/d.wav"];

beforeAll(async () => {
  server = await startServer();
  machine = await newMachine();
  await machine.exhibit(["login", server.url, "--invite-stdin"], {
    input: await server.invite("partner"),
  });
  await mkdir(at("night"), { recursive: true });
  for (const name of files) await writeFile(at(name), `call ${name}`);
});
afterAll(async () => {
  await server.stop();
  await rm(machine.folder, { recursive: true, force: true });
});

let lists = 0;
async function upload(content: string | Buffer, ...more: string[]): Promise<Ran> {
  lists += 1;
  await writeFile(at(`list-${lists}.csv`), content);
  return machine.exhibit(["upload", "--csv", at(`list-${lists}.csv`), ...more]);
}

const rowsOf = ({ out }: Ran): RowDocument[] =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as RowDocument)
    .sort((one, other) => one.row - other.row);

async function recordOf(address: string): Promise<Record<string, unknown>> {
  const shown = await machine.exhibit(["show", address, "--json"]);
  return shown.json()["record"] as Record<string, unknown>;
}

describe("exhibit upload --csv", () => {
  const list = [
    "File,Case,Reference,Source ID,Title,Recorded From,Recorded To,Operator",
    'a.wav,CAD/1,,call-1,"Caller said ""help"", twice",21/11/2026 14:05,21/11/2026 14:09:30,K. Jones',
    "",
    "b.wav,CAD/2,KJ/7,call-2,,2026-07-01T10:00:00Z,,",
    "night/d.wav,CAD/2,,call-3,,46347.5868,,",
    ",,,,,,,",
    "",
  ].join("\r\n");

  it("sends each row as an exhibit of its own case, and says a line a row", async () => {
    const ran = await upload(list, "--json", "--time-zone", "Europe/London");
    expect([ran.code, ran.err]).toEqual([0, ""]);
    const rows = rowsOf(ran);
    expect(rows).toMatchObject([
      { schema: "exhibit.upload-row/1", row: 2, file: "a.wav", case: "CAD/1", state: "uploaded" },
      { row: 4, file: "b.wav", case: "CAD/2", reference: "KJ/7", state: "uploaded" },
      { row: 5, file: "night/d.wav", case: "CAD/2", state: "uploaded" },
    ]);
    expect(rows[0]?.sha256).toBe(sha256Of("call a.wav"));
    expect(await recordOf(`CAD/1:${rows[0]?.reference ?? ""}`)).toMatchObject({
      title: 'Caller said "help", twice',
      sourceId: "call-1",
      recorded: {
        from: "2026-11-21T14:05:00Z",
        to: "2026-11-21T14:09:30Z",
        timeZone: "Europe/London",
      },
    });
    expect(await recordOf(`CAD/2:${rows[2]?.reference ?? ""}`)).toMatchObject({
      recorded: { from: "2026-11-21T14:05:00Z" },
      files: [{ path: "night/d.wav" }],
    });
  });

  it("does nothing the next day but for the rows that were added, and goes on after a file was missing", async () => {
    const added = list.replace(/\r\n,,,,,,,/, "\r\nc.wav,CAD/3,,call-4,,,,");
    const ran = await upload(added, "--json", "--time-zone", "Europe/London");
    expect([ran.code, rowsOf(ran).map(({ state }) => state)]).toEqual([
      0,
      ["already-present", "already-present", "already-present", "uploaded"],
    ]);
    const plain = await upload(added, "--time-zone", "Europe/London");
    expect(plain.code).toBe(0);
    expect(plain.out.split("\n").filter((line) => line.includes("CAD/"))).toHaveLength(4);
    expect(plain.err).toContain("Columns of the list that are not used: Operator.");
    expect(plain.err).toContain("4 rows: 0 sent, 4 already present, 0 failed.");
  });

  it("fails for single rows with exit 3, and says which", async () => {
    await writeFile(at("other.wav"), "another call");
    const rows =
      "file,case,reference,source-id\nother.wav,CAD/2,KJ/7,x-1\nother.wav,CAD/9,KJ/1,x-1\n";
    const ran = await upload(rows, "--json");
    expect([ran.code, rowsOf(ran)]).toMatchObject([
      3,
      [
        { row: 2, file: "other.wav", reference: "KJ/7", state: "failed", code: "conflict.exists" },
        { row: 3, case: "CAD/9", reference: "KJ/1", state: "uploaded" },
      ],
    ]);
    const plain = await upload(rows);
    expect([plain.code, plain.err]).toEqual([3, expect.stringContaining("row 2, other.wav:")]);
  });

  it("takes a reference that holds this very content already for present, from whatever list it came", async () => {
    await writeFile(at("copy of b.wav"), "call b.wav");
    const ran = await upload(
      "file,case,reference\ncopy of b.wav,CAD/2,KJ/7\na.wav,CAD/5,KJ/7\n",
      "--json",
    );
    expect([ran.code, rowsOf(ran).map(({ state }) => state)]).toEqual([
      0,
      ["already-present", "uploaded"],
    ]);
  });

  const umlaut = "file;case;title\na.wav;ENC/1;Müller – “hilfe”\n";
  it.each<[string, Buffer, string]>([
    ["UTF-8 with a mark", Buffer.from(`\ufeff${umlaut}`), "Müller – “hilfe”"],
    [
      "UTF-16, as Excel's Unicode text, with tabs",
      Buffer.from(`\ufeff${umlaut.replaceAll(";", "\t")}`, "utf16le"),
      "Müller – “hilfe”",
    ],
    [
      "Windows-1252",
      Buffer.from(
        umlaut.replace("–", "\u0096").replace("“", "\u0093").replace("”", "\u0094"),
        "latin1",
      ),
      "Müller – “hilfe”",
    ],
    [
      "a line that names the separator",
      Buffer.from(`sep=|\r\n${umlaut.replaceAll(";", "|")}`),
      "Müller – “hilfe”",
    ],
    [
      "commas in quotes",
      Buffer.from('"title","file","case"\n"a, b;\nc","a.wav","enc/1"'),
      "a, b;\nc",
    ],
  ])("reads %s", async (name, bytes, title) => {
    const asked = bytes.toString("latin1").replace(/enc\/1/i, `ENC/${lists}`);
    const wide = bytes[0] === 0xff;
    const content = wide
      ? Buffer.from(bytes.toString("utf16le").replace("ENC/1", `ENC/${lists}`), "utf16le")
      : Buffer.from(asked, "latin1");
    const caseRef = `ENC/${lists}`;
    const ran = await upload(content, "--json");
    expect([name, ran.err, ran.code]).toEqual([name, "", 0]);
    expect(await recordOf(`${caseRef}:${rowsOf(ran)[0]?.reference ?? ""}`)).toMatchObject({
      title,
    });
  });

  it("knows columns by other names", async () => {
    const map = ["--map", "file=Recording path,case=CAD, No", "--map", "source-id=Call"];
    const ran = await upload('"Recording path";"cad, no";Call\nc.wav;MAP/1;9\n', "--json", ...map);
    expect([ran.code, rowsOf(ran)]).toMatchObject([0, [{ case: "MAP/1", state: "uploaded" }]]);
  });

  it("says what it would do, and does nothing", async () => {
    const rows = "file,case,reference\na.wav,CAD/5,KJ/7\nb.wav,DRY/1,\n";
    const ran = await upload(rows, "--dry-run", "--json");
    expect([ran.code, ran.json()["exhibits"]]).toMatchObject([
      0,
      [
        { action: "compare", exhibit: "CAD/5:KJ/7", row: { number: 2 } },
        { action: "send", row: { number: 3, case: "DRY/1" } },
      ],
    ]);
    expect((await machine.exhibit(["list", "--case", "DRY/1"])).out).toBe("");
  });

  it("has nothing to send when there are no rows", async () => {
    const ran = await upload("file,case\r\n");
    expect([ran.code, ran.out, ran.err]).toEqual([0, "", expect.stringContaining("no rows")]);
  });
});
