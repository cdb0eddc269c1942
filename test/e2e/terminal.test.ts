import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { atTerminal, finish, start, startPrinting } from "../support/built-program.ts";

let folder: string;
const at = (name: string): string => path.join(folder, name);
const json = async (argv: readonly string[]): Promise<unknown> =>
  JSON.parse((await finish(start(folder, [...argv, "--json"]))).out);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-terminal-"));
  await mkdir(at("nas"));
  await finish(start(folder, ["store", "add", "nas", at("nas")]));
  await writeFile(at("bus 42.mp4"), "footage");
}, 30_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("upload at a terminal", () => {
  it("asks for what is missing, the initials too where the store has none, and says what it did", async () => {
    const terminal = atTerminal(folder, ["upload"]);
    await terminal.shows("File or folder to send:");
    terminal.type(`"${at("bus 42.mp4")}"\r`);
    await terminal.shows("Case (URN, crime or CAD reference):");
    terminal.type("..\r");
    await terminal.shows("must start with a letter or digit");
    terminal.type("\u007f\u007f01ab1234526\r");
    await terminal.shows("What is it?");
    terminal.type("Bus 42, front\r");
    await terminal.shows("Producer's initials");
    terminal.type("g4\r");
    await terminal.shows("one to eight letters");
    terminal.type("\u007fn\r");
    await terminal.shows("stored and proved");
    expect(await terminal.code).toBe(0);
    expect(terminal.screen()).toContain(`${sha256Of("footage")}  01AB1234526:GN/1  bus 42.mp4`);
    const shown = await finish(start(folder, ["show", "01AB1234526:GN/1"]));
    expect(shown.out).toContain("Bus 42, front");
  }, 30_000);

  it("asks nothing twice: killed while it sends, resume goes on with the answers", async () => {
    const bytes = 16 * 1024 * 1024;
    await writeFile(at("bus 43.mp4"), "");
    await truncate(at("bus 43.mp4"), bytes);
    const small = ["--part-size", "64K", "--concurrency", "1"];
    const terminal = atTerminal(folder, ["upload", at("bus 43.mp4"), ...small]);
    await terminal.shows("Case (URN, crime or CAD reference):");
    terminal.type("C43\r");
    await terminal.shows("What is it?");
    terminal.type("Bus 43, rear\r");
    await terminal.shows("Producer's initials");
    terminal.type("GN\r");
    // Not "0 B of": the exhibit is reserved once some of it has been sent.
    await terminal.shows("MiB of 16.0 MiB");
    terminal.killHard();
    expect(await terminal.code).toBe(137);
    expect(await json(["list", "--case", "C43"])).toMatchObject({ exhibits: [{ state: "open" }] });

    const resumed = await finish(start(folder, ["resume"]));
    const digest = sha256Of(Buffer.alloc(bytes));
    expect([resumed.code, resumed.out]).toEqual([0, `${digest}  C43:GN/1  bus 43.mp4\n`]);
    const shown = await finish(start(folder, ["show", "C43:GN/1"]));
    expect(shown.out).toContain("Bus 43, rear");
    expect(await json(["uploads", "list"])).toMatchObject({ uploads: [], jobs: [] });
  }, 60_000);

  it("stops cleanly when its window is closed, and resume goes on", async () => {
    await writeFile(at("bus 46.mp4"), "");
    await truncate(at("bus 46.mp4"), 16 * 1024 * 1024);
    // Opening a pipe for reading waits until somebody writes.
    await promisify(execFile)("mkfifo", [at("code")]);
    const code = readFile(at("code"), "utf8");
    const argv = ["upload", at("bus 46.mp4"), "--case", "C46", "--initials", "GN"];
    const slow = ["--part-size", "64K", "--concurrency", "1", "--bwlimit", "4M"];
    const terminal = atTerminal(folder, [...argv, ...slow], {}, at("code"));
    await terminal.shows("MiB of 16.0 MiB");
    terminal.hangUp();
    expect(await code).toBe("143\n");
    const resumed = await finish(start(folder, ["resume"]));
    expect([resumed.code, resumed.out]).toEqual([0, expect.stringContaining("C46:GN/1")]);
  }, 30_000);

  it("ends with 130 on Ctrl-C in a question, and nothing was done", async () => {
    const terminal = atTerminal(folder, ["upload"]);
    await terminal.shows("File or folder to send:");
    terminal.type("\u0003");
    expect(await terminal.code).toBe(130);
  }, 30_000);
});

describe("without a terminal", () => {
  it("nobody is asked for initials, and nothing is begun", async () => {
    const refused = await finish(start(folder, ["upload", at("bus 42.mp4"), "--case", "C44"]));
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("--initials")]);
    expect(await json(["uploads", "list"])).toMatchObject({ jobs: [] });
  }, 30_000);

  it("a reader of the result that has seen enough is no failure", async () => {
    const child = start(folder, ["list", "--store", "nas", "--json"]);
    child.stdout.destroy();
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(0);
  }, 30_000);

  it.each<[string, string[]]>([
    ["JSON", ["--json"]],
    ["lines", []],
  ])(
    "a result in %s that finds no room stops no upload, and is told",
    async (form, more) => {
      const name = `bus 47 ${form}.mp4`;
      await writeFile(at(name), Buffer.alloc(1024 * 1024));
      const argv = ["upload", at(name), "--case", "C47", "--initials", "GN", ...more];
      const full = await open("/dev/full", "w");
      const told = await finish(startPrinting(folder, argv, full.fd));
      await full.close();
      expect([told.code, told.err]).toEqual([7, expect.stringContaining("could not be written")]);
      expect(told.err).not.toContain("    at ");
      const again = await finish(start(folder, argv));
      expect([again.code, again.err.includes("bytes sent")]).toEqual([0, false]);
      expect(await json(["list", "--case", "C47"])).toMatchObject({
        exhibits: expect.arrayContaining([expect.objectContaining({ state: "sealed" })]),
      });
    },
    30_000,
  );

  it("a reader of the progress that has seen enough stops no upload", async () => {
    await writeFile(at("bus 45.mp4"), Buffer.alloc(4 * 1024 * 1024));
    const argv = ["upload", at("bus 45.mp4"), "--case", "C45", "--initials", "GN"];
    const small = ["--part-size", "64K", "--progress", "json"];
    const child = start(folder, [...argv, ...small]);
    child.stderr.once("data", () => child.stderr.destroy());
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(0);
    expect(await json(["list", "--case", "C45"])).toMatchObject({
      exhibits: [{ reference: "GN/1", state: "sealed" }],
    });
  }, 30_000);
});
