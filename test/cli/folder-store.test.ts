import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { Interrupted } from "../../src/cli/interrupted.ts";
import type { CheckedStore } from "../../src/app/check-store.ts";
import { newMachine, type Machine } from "../support/cli.ts";

let machine: Machine;
let nas: string;
const at = (...names: string[]): string => path.join(machine.folder, ...names);

beforeAll(async () => {
  machine = await newMachine();
  nas = at("nas");
  await mkdir(nas);
  await mkdir(at("export", "cam 1"), { recursive: true });
  await writeFile(at("bus 42.mp4"), "first");
  await writeFile(at("export", "cam 1", "a.txt"), "alpha");
  await writeFile(at("export", "empty.bin"), "");
  await symlink("/etc/hosts", at("export", "link"));
});
afterAll(() => rm(machine.folder, { recursive: true, force: true }));

describe("a store that is a folder, without any server", () => {
  it("is given a name, and is the default", async () => {
    const added = await machine.exhibit(["store", "add", "nas", nas]);
    expect([added.code, added.out]).toEqual([0, `nas  file://${nas}\n`]);
    const again = await machine.exhibit(["store", "add", "nas", `file://${nas}/`, "--json"]);
    expect(again.json()).toEqual({
      schema: "exhibit.store/1",
      name: "nas",
      url: `file://${nas}`,
      isDefault: true,
    });
    const other = await machine.exhibit(["store", "add", "nas", "https://elsewhere.example"]);
    expect([other.code, other.err]).toEqual([8, expect.stringContaining("already stands for")]);
  });

  it("says what it proves, and how much room it has, when it is checked", async () => {
    const ran = await machine.exhibit(["store", "check", "nas", "--json"]);
    expect([ran.code, ran.err]).toEqual([0, ""]);
    const { findings, freeBytes, ...others } = ran.json() as unknown as CheckedStore;
    expect(others).toMatchObject({
      schema: "exhibit.store-check/1",
      name: "nas",
      proof: "read-back",
    });
    expect(freeBytes).toBeGreaterThan(0);
    expect(findings.map(({ id, outcome }) => [id, outcome])).toEqual([
      ["reach", "works"],
      ["proof", "works"],
      ["no-overwrite", "enforced"],
      ["references", "works"],
      ["parts", "works"],
    ]);
    const words = await machine.exhibit(["store", "check"]);
    expect(words.out).toMatch(/^No overwriting, by the store itself +enforced$/m);
    expect((await machine.exhibit(["store", "check", "nowhere"])).code).toBe(5);
  });

  it("takes a file, and says what sha256sum would", async () => {
    const ran = await machine.exhibit([
      ...["upload", at("bus 42.mp4"), "--case", "01ab1234526", "--initials", "GN"],
      ...[
        "--title",
        "Bus 42",
        "--recorded-from",
        "2026-11-21 14:05",
        "--time-zone",
        "Europe/London",
      ],
      ...["--clock-offset", "-12.5", "--clock-measured-by", "speaking clock", "--oic", "PC 1"],
    ]);
    expect([ran.code, ran.out]).toEqual([
      0,
      `${sha256Of("first")}  01AB1234526:GN/1  bus 42.mp4\n`,
    ]);
    expect(ran.err).toContain("Sending 1 file, 5 bytes.");
    expect(ran.err).toContain("✔ 01AB1234526:GN/1  stored and proved");
    expect(ran.err).not.toContain("\u001b");
  });

  it("finds it again when the command is repeated", async () => {
    const argv = ["upload", at("bus 42.mp4"), "--case", "01AB1234526", "--initials", "GN"];
    const ran = await machine.exhibit([...argv, "--json"]);
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect(ran.json()).toMatchObject({
      schema: "exhibit.upload/1",
      exhibits: [{ reference: "GN/1", outcome: "already-present", bytesSent: 0 }],
      failed: [],
    });
  });

  it("takes a folder as one exhibit, and tells what it does not send", async () => {
    const ran = await machine.exhibit([
      ...["upload", at("export"), "--case", "01AB1234526", "--ref", "GN/7", "--one-exhibit"],
      ...["--progress", "json", "--receipt", at("kept.json")],
    ]);
    expect([ran.code, ran.out.split("\n")]).toEqual([
      0,
      [
        `${sha256Of("alpha")}  01AB1234526:GN/7  export/cam 1/a.txt`,
        `${sha256Of("")}  01AB1234526:GN/7  export/empty.bin`,
        "",
      ],
    ]);
    expect(ran.err).toContain('{"type":"planned","files":2,"bytes":5,"isComplete":true}');
    expect(ran.err).toMatch(/not sent: .*link: /);
    expect(await readFile(at("kept.json"), "utf8")).toContain('"signatures"');
  });

  it("takes names that could deceive, and shows them so that they do not", async () => {
    await writeFile(at("\u202Egpj.exe"), "odd");
    const argv = ["upload", at("\u202Egpj.exe"), "--case", "C2", "--initials", "GN"];
    const ran = await machine.exhibit(argv);
    expect([ran.code, ran.out]).toEqual([0, `${sha256Of("odd")}  C2:GN/1  \\u{202E}gpj.exe\n`]);
  });

  it("takes nothing when one of the paths is not there", async () => {
    const argv = ["upload", at("bus 42.mp4"), at("gone.mp4"), "--case", "C4", "--initials", "GN"];
    const ran = await machine.exhibit(argv);
    expect([ran.code, ran.out]).toEqual([5, ""]);
    expect(ran.err).toContain("gone.mp4");
  });

  it("lists, by case or all", async () => {
    const all = await machine.exhibit(["list"]);
    expect(all.out.split("\n").map((line) => line.split("  ")[0])).toEqual([
      ...["01AB1234526:GN/1", "01AB1234526:GN/7", "C2:GN/1", ""],
    ]);
    const one = await machine.exhibit(["list", "--case", "c2", "--json"]);
    expect(one.json()).toMatchObject({ exhibits: [{ case: "C2", state: "sealed" }] });
  });

  it("shows the record", async () => {
    const { out } = await machine.exhibit(["show", "01AB1234526:GN/1"]);
    for (const words of [
      "Bus 42",
      "PC 1",
      "2026-11-21T14:05:00Z to ? (Europe/London)",
      "-12.5 s ahead of true time, by speaking clock",
      `${sha256Of("first")}  bus 42.mp4`,
    ]) {
      expect(out).toContain(words);
    }
  });

  it("asks which is meant when a reference is in two cases", async () => {
    const { code, err } = await machine.exhibit(["show", "GN/1"]);
    expect(code).toBe(2);
    expect(err).toContain("01AB1234526:GN/1, C2:GN/1");
  });

  it("gives an exhibit back with its names, and goes on where it was", async () => {
    const argv = ["download", "01AB1234526:GN/7", "--to", at("back")];
    const first = await machine.exhibit(argv);
    expect([first.code, first.out.split("\n")]).toEqual([
      0,
      [
        `${sha256Of("alpha")}  ${at("back", "export", "cam 1", "a.txt")}`,
        `${sha256Of("")}  ${at("back", "export", "empty.bin")}`,
        "",
      ],
    ]);
    expect(await readFile(at("back", "export", "cam 1", "a.txt"), "utf8")).toBe("alpha");
    const again = await machine.exhibit([...argv, "--json"]);
    expect(again.json()).toMatchObject({ files: [{ outcome: "present" }, { outcome: "present" }] });
  });

  it("is verified, custody log and receipt, too", async () => {
    const verified = await machine.exhibit(["verify", "01AB1234526:GN/1"]);
    expect([verified.code, verified.out]).toEqual([
      0,
      `${sha256Of("first")}  OK  re-read  bus 42.mp4\n`,
    ]);
    expect(verified.err).not.toContain("not read again");
    const log = await machine.exhibit(["log", "01AB1234526:GN/1", "--json"]);
    expect(log.json()).toMatchObject({ schema: "exhibit.custody-log/1", reference: "GN/1" });
    const receipt = at("state", "receipts", "01AB1234526", "GN_1.receipt.json");
    const checked = await machine.exhibit(["receipt", "verify", receipt, at("bus 42.mp4")]);
    expect([checked.code, checked.out]).toEqual([0, `${sha256Of("first")}  OK  bus 42.mp4\n`]);
    expect(checked.err).toContain("signed by this machine");
    await writeFile(at("other.mp4"), "other");
    const wrong = await machine.exhibit(["receipt", "verify", receipt, at("other.mp4")]);
    expect([wrong.code, wrong.out]).toEqual([
      6,
      `${sha256Of("other")}  NOT IN RECEIPT  other.mp4\n`,
    ]);
  });

  it("that was tampered with is found out", async () => {
    const stored = path.join(nas, "01AB1234526", "GN_1", "GN_1-0001.mp4");
    await rm(stored);
    await writeFile(stored, "First");
    const { code, out, err } = await machine.exhibit(["verify", "01AB1234526:GN/1"]);
    expect([code, out]).toEqual([6, `${sha256Of("first")}  DIFFERS  re-read  bus 42.mp4\n`]);
    expect(err).toContain("failed: ");
  });

  it("has neither shares nor accounts, and says so", async () => {
    const share = [
      "share",
      "create",
      "C2:GN/1",
      "--to",
      "Jo",
      "--email",
      "jo@x.example",
      "--expires",
      "7d",
    ];
    const refused = await machine.exhibit(share);
    expect([refused.code, refused.err]).toEqual([
      9,
      expect.stringContaining("no share links of its own"),
    ]);
    const who = await machine.exhibit(["whoami", "--json"]);
    expect(who.json()).toMatchObject({
      store: "nas",
      secretsPlace: expect.stringContaining("key file"),
    });
  });

  it("has nothing unfinished, and nothing to resume", async () => {
    expect((await machine.exhibit(["uploads", "list"])).err).toBe("Nothing is unfinished.\n");
    expect((await machine.exhibit(["resume", "--json"])).json()).toEqual({
      schema: "exhibit.resume/1",
      jobs: [],
    });
    for (const verb of ["abort", "resume"]) {
      const unknown = await machine.exhibit(["uploads", verb, "unknown"]);
      expect([unknown.code, unknown.out]).toEqual([5, ""]);
      expect(unknown.err).toContain("exhibit uploads list shows what is unfinished");
    }
    expect((await machine.exhibit(["uploads", "resume"])).err).toContain("nothing to resume");
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("interrupted by %s, says how to go on and exits with %i", async (name, code) => {
    const signal = AbortSignal.abort(new Interrupted(name));
    const argv = ["upload", at("bus 42.mp4"), "--case", "C3", "--initials", "GN"];
    const ran = await machine.exhibit(argv, { signal });
    expect([ran.code, ran.out]).toEqual([code, ""]);
    expect(ran.err).toContain("exhibit resume, sends only what is missing");
    const json = await machine.exhibit([...argv, "--json"], { signal });
    expect(JSON.parse(json.err)).toMatchObject({ type: "error", code: "interrupted" });
  });

  it("is forgotten by its name alone", async () => {
    expect((await machine.exhibit(["store", "remove", "nas"])).code).toBe(0);
    expect((await machine.exhibit(["store", "list"])).err).toContain("No store is configured yet.");
    const kept = await machine.exhibit(["show", "C2:GN/1", "--store", `file://${nas}`]);
    expect(kept.code).toBe(0);
  });
});
