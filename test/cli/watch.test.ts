import {
  appendFile,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { caseFrom } from "../../src/app/watch/case-from.ts";
import { sha256Of } from "../../src/evidence/digest.ts";
import { newMachine, type Machine, type Ran } from "../support/cli.ts";
import { runningWatch, watchLines } from "../support/running-watch.ts";

let machine: Machine;
let ordinal = 0;
/** Each test has a folder, and a store, of its own. */
let at: (...names: string[]) => string;
let store: string;

beforeAll(async () => {
  machine = await newMachine();
});
afterAll(() => rm(machine.folder, { recursive: true, force: true }));
beforeEach(async () => {
  ordinal += 1;
  const own = path.join(machine.folder, `watch-${ordinal}`);
  at = (...names) => path.join(own, "in", ...names);
  store = `file://${path.join(own, "store")}`;
  await mkdir(at("CAD_9"), { recursive: true });
  await mkdir(path.join(own, "store"));
});

const flags = (): string[] => [
  ...[at(), "--settle", "0.1", "--poll", "0.3", "--initials", "ABC", "--store", store],
];
const once = (...argv: string[]): Promise<Ran> =>
  machine.exhibit(["watch", ...flags(), ...argv, "--once", "--json"]);

const taken = ({ out }: Ran): (string | undefined)[] =>
  watchLines(out).flatMap(({ type, file }) => (type === "taken" ? [file] : []));

describe("exhibit watch --once", () => {
  it("takes each file once, but no temporary one, no link and no sidecar, and leaves all where it is", async () => {
    await writeFile(at("a.wav"), "call a");
    await writeFile(
      at("a.wav.json"),
      '{"case": "cad/1", "title": "First", "recorded-from": "21/11/2026 14:05"}',
    );
    await writeFile(at("CAD_9", "b.wav"), "call b");
    await writeFile(
      at("CAD_9", "b.json"),
      '\ufeff{"case": "CAD/9", "reference": "KJ/3", "source-id": 77}',
    );
    for (const name of [".hidden", "~$a.doc", "c.wav.part", "c.TMP"])
      await writeFile(at(name), "?");
    await writeFile(path.join(at(), "..", "outside.wav"), "outside");
    await symlink(path.join(at(), "..", "outside.wav"), at("link.wav"));
    const names = await readdir(at());
    const first = await once("--sidecar", "json", "--time-zone", "Europe/London");
    expect([first.code, first.err, watchLines(first.out)]).toMatchObject([
      0,
      "",
      [
        { type: "left-out", file: "link.wav" },
        { type: "taken", file: "CAD_9/b.wav", case: "CAD/9", reference: "KJ/3", state: "uploaded" },
        { type: "taken", file: "a.wav", case: "CAD/1", reference: "ABC/1" },
      ],
    ]);
    expect(await readdir(at())).toEqual(names);
    const shown = await machine.exhibit(["show", "CAD/1:ABC/1", "--store", store, "--json"]);
    expect(shown.json()["record"]).toMatchObject({
      title: "First",
      recorded: { from: "2026-11-21T14:05:00Z" },
      files: [{ path: "a.wav", digest: { sha256: sha256Of("call a") } }],
    });
    expect(taken(await once("--sidecar", "json"))).toEqual([]);
  });

  it("takes a file that was written again as a new exhibit, or says that its reference is sealed", async () => {
    await writeFile(at("a.wav"), "one");
    await writeFile(at("KJ_5.wav"), "one");
    const argv = ["--case", "CAD/1", "--case-from", "{reference}.wav"];
    const first = await once(...argv.slice(0, 2));
    expect(watchLines(first.out)).toMatchObject([{ reference: "ABC/1" }, { reference: "ABC/2" }]);
    await writeFile(at("a.wav"), "other");
    expect(watchLines((await once(...argv.slice(0, 2))).out)).toMatchObject([
      { file: "a.wav", reference: "ABC/3" },
    ]);
    await rm(at("a.wav"));
    await writeFile(at("KJ_5.wav"), "two!");
    expect(watchLines((await once(...argv)).out)).toMatchObject([{ reference: "KJ/5" }]);
    await writeFile(at("KJ_5.wav"), "three");
    const conflict = await once(...argv);
    expect([conflict.code, watchLines(conflict.out)]).toMatchObject([
      8,
      [{ type: "failed", file: "KJ_5.wav", code: "conflict.exists" }],
    ]);
  });

  it("finds again what it took when this machine's list is lost", async () => {
    await writeFile(at("a.wav"), "call a");
    expect(watchLines((await once("--case", "CAD/1")).out)).toMatchObject([{ state: "uploaded" }]);
    await rm(path.join(machine.folder, "state", "watched.sqlite"));
    const again = await once("--case", "CAD/1");
    expect(watchLines(again.out)).toMatchObject([{ state: "already-present" }]);
  });

  it("takes by the rows of a list, and waits for what no row names yet", async () => {
    await writeFile(at("a.wav"), "call a");
    await writeFile(at("b.wav"), "call b");
    await writeFile(at("calls.csv"), "Recording;case\r\na.wav;CAD/4\r\n");
    const argv = ["--sidecar", "csv", "--map", "file=Recording"];
    const first = await once(...argv);
    expect([first.code, watchLines(first.out)]).toMatchObject([
      0,
      [
        { type: "taken", file: "a.wav", case: "CAD/4" },
        { type: "waiting", file: "b.wav", reason: "sidecar" },
      ],
    ]);
    await appendFile(at("calls.csv"), "b.wav;CAD/5\r\n");
    expect(taken(await once(...argv))).toEqual(["b.wav"]);
  });

  it.each(["its own name", "a link"])(
    "does not take what is open for writing, and says so, below %s",
    async (below) => {
      if (below === "a link") {
        const own = path.dirname(at());
        await rename(own, `${own}-real`);
        await symlink(`${own}-real`, own);
      }
      await writeFile(at("a.wav"), "call a");
      const handle = await open(at("a.wav"), "a");
      const busy = await once("--case", "CAD/1");
      expect(watchLines(busy.out)).toMatchObject([{ type: "waiting", reason: "being-written" }]);
      await handle.close();
      expect(taken(await once("--case", "CAD/1"))).toEqual(["a.wav"]);
    },
  );

  it.each([
    ["a sidecar that is no JSON", ["--sidecar", "json"], "a.wav.json", "{", 2, "usage.invalid"],
    [
      "a sidecar with a bad case",
      ["--sidecar", "json"],
      "a.json",
      '{"case": "?"}',
      2,
      "usage.invalid",
    ],
    ["a file of no case", ["--case-from", "{case}/*.wav"], "b.txt", "", 2, "usage.missing"],
  ])("tells of %s, and takes nothing", async (_, argv, name, text, code, error) => {
    await writeFile(at("a.wav"), "call a");
    await writeFile(at(name), text);
    const ran = await once(...argv);
    expect([ran.code, watchLines(ran.out)[0]]).toMatchObject([
      code,
      { type: "failed", code: error },
    ]);
    expect(taken(ran)).toEqual([]);
  });

  it("ends where the folder is not, or the store is gone", async () => {
    await writeFile(at("a.wav"), "call a");
    const gone = await once("--case", "CAD/1", "--store", "http://127.0.0.1:9");
    expect([gone.code >= 4, gone.out.includes("taken")]).toEqual([true, false]);
    await rm(at(), { recursive: true });
    expect((await once("--case", "CAD/1")).code).toBe(5);
  });

  it.each([
    [["--sidecar", "none"], "--case"],
    [["--case-from", "{case}/{cad}.wav"], "{cad}"],
    [["--case-from", "*.wav"], "{case}"],
    [["--case", "X/1", "--after", "delete"], "--after"],
    [["--case", "X/1", "--after", "move=DONE"], "within the watched folder"],
    [["--case", "X/1", "--settle", "soon"], "--settle"],
  ])("refuses %j", async (argv, words) => {
    const ran = await once(...argv.map((word) => word.replace("DONE", at("done"))));
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining(words)]);
  });
});

describe("exhibit watch", () => {
  it("takes what comes, moves it over nothing, waits for a folder that vanishes, and ends with Ctrl-C", async () => {
    const done = path.join(at(), "..", "done");
    await mkdir(done);
    await writeFile(path.join(done, "a.wav"), "somebody's");
    const running = runningWatch(machine, [
      ...flags(),
      "--case",
      "CAD/1",
      "--after",
      `move=${done}`,
    ]);
    await writeFile(at("a.wav"), "call a");
    await running.tells("moved", "a.wav");
    await rename(at(), `${at()}-away`);
    await running.tells("folder-gone");
    await rename(`${at()}-away`, at());
    await writeFile(at("b.wav"), "call b");
    await running.tells("moved", "b.wav");
    const ran = await running.stop();
    expect(ran.code).toBe(130);
    expect(watchLines(ran.out).map(({ type, file }) => [type, file])).toEqual([
      ["taken", "a.wav"],
      ["moved", "a.wav"],
      ["folder-gone", undefined],
      ["folder-back", undefined],
      ["taken", "b.wav"],
      ["moved", "b.wav"],
    ]);
    expect(await readFile(path.join(done, "a.wav"), "utf8")).toBe("somebody's");
    expect(await readFile(path.join(done, "a (2).wav"), "utf8")).toBe("call a");
  });
});

describe("a pattern of paths", () => {
  it.each([
    ["{case}/{reference}_*.wav", "CAD 12/KJ_4_front.WAV", { case: "CAD 12", reference: "KJ/4" }],
    ["{case}/*", "x/y", { case: "X" }],
    ["calls/{case}-*.wav", "calls/a.b-1.wav", { case: "A.B" }],
    ["{case}/*", "x/y/z", undefined],
    ["{case}.wav", "a+b.mp3", undefined],
  ])("%s reads %s", (pattern, file, says) => {
    expect(caseFrom(pattern)(file)).toEqual(says);
  });
});
