import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { exitCodeOf, exitCodeOfMany } from "../../src/cli/exit.ts";
import { errorCodes, familyOf } from "../../src/evidence/errors.ts";
import { fakeTerminal, newMachine, type Machine } from "../support/cli.ts";

const execute = promisify(execFile);
const program = fileURLToPath(new URL("../../bin/exhibit.js", import.meta.url));

let machine: Machine;
beforeAll(async () => {
  machine = await newMachine();
});
afterAll(() => rm(machine.folder, { recursive: true }));

describe("a command line that is not right", () => {
  it.each([
    // commander's own refusals
    ["uplod x", 2, "Unknown command 'uplod' (Did you mean upload?)."],
    ["list --casse X", 2, "Unknown option '--casse' (Did you mean --case?)."],
    ["show", 2, "Missing required argument 'exhibit'."],
    ["show a b", 2, "Too many arguments"],
    ["upload x --require-proof size", 2, "Allowed choices are whole, parts, read-back, transport."],
    ["list --progress none", 2, "Unknown option '--progress'"],
    // what is missing, and nobody can be asked
    ["upload", 2, "The file to send is missing."],
    ["upload x", 2, "--case is missing."],
    ["login https://evidence.example --invite", 2, "--invite-stdin is missing."],
    ["login https://evidence.example --invite-stdin", 2, "No invitation came on stdin."],
    ["share create A:AB/1 --expires 7d", 2, "--to (or --recipient) is missing."],
    ["share create A:AB/1 --to Jo --expires 7d", 2, "--email (or --recipient) is missing."],
    ["share create A:AB/1 --to Jo --email jo@x.example", 2, "--expires is missing."],
    ["invite create --org Garage", 2, "--role is missing."],
    ["invite create --role partner", 2, "--org is missing."],
    // values
    ["upload x --case ../..", 2, "--case must start with a letter or digit"],
    ["upload x --case A --ref abc", 2, "--ref must look like ABC/1"],
    ["upload x --case A --initials A1", 2, "--initials must be one to eight letters"],
    ["upload x --case A --concurrency 0", 2, "--concurrency must be a whole number from 1 to 32"],
    ["upload x --case A --part-size 1", 2, "--part-size must be between 64K and 512M"],
    ["upload x --case A --part-size huge", 2, "--part-size must be a size"],
    ["upload x --case A --recorded-from 2026-11-21T14:05:00Z", 2, "need the zone"],
    [
      "upload x --case A --recorded-from soon --time-zone UTC",
      2,
      '--recorded-from is not a time: "soon"',
    ],
    ["upload x --case A --time-zone Mars/Olympus", 2, "time zone"],
    ["upload x --case A --clock-offset 12", 2, "--clock-measured-by, which goes with"],
    [
      "upload x --case A --clock-offset x --clock-measured-by y",
      2,
      "--clock-offset must be a number of seconds",
    ],
    ["upload x --case A --supersedes ABC/1", 2, "--supersedes takes the exhibit's id"],
    ["share create A:AB/1 --to Jo --email jo --expires 7d", 2, "--email is not an e-mail address."],
    [
      "share create A:AB/1 --to Jo --email jo@x.example --expires 7",
      2,
      '--expires must be a duration, not "7"',
    ],
    [
      "share create A:AB/1 --to Jo --recipient - --expires 7d",
      2,
      "--recipient already gives name and address",
    ],
    [
      "share create A:AB/1 --recipient - --expires 7d",
      2,
      "--recipient does not hold one recipient.",
    ],
    ["share create A:AB/1 --recipient /none --expires 7d", 5, "/none cannot be read."],
    [
      "share create A:AB/1 --access copy --to J --email j@x.example --expires 7d",
      2,
      "Allowed choices are view, original",
    ],
    ["invite create --role king --org X", 2, "Allowed choices are admin, officer, partner"],
    [
      "invite create --role admin --org X --expires soon",
      2,
      '--expires must be a duration, not "soon"',
    ],
    ["invite create --role admin --org X --quota lots", 2, '--quota must be a size, not "lots"'],
    // stores
    ["list", 2, "No store is named, and there is no default store."],
    ["list --store nowhere", 5, 'No store is called "nowhere".'],
    ["list --store ftp://x.example", 2, "is not a store's address"],
    ["list --store http://evidence.example", 9, "would be reached without encryption"],
    ["store add a/b file:///tmp", 2, "The store's name must be a short name"],
    ["store add nas file:///nowhere/at/all", 5, "There is no folder at file:///nowhere/at/all."],
    ["store add nas /etc/hosts", 5, "There is no folder at file:///etc/hosts."],
    ["store remove none", 5, 'No store is called "none".'],
    ["store default none", 5, 'No store is called "none".'],
    ["store default", 5, "No default store is chosen."],
    ["list --store https://evidence.example", 4, "is not signed in at https://evidence.example"],
    ["whoami --store file:///nowhere/at/all", 7, "/nowhere/at/all"],
    [
      "list --store https://x.example --ca-file /none",
      5,
      "The certificates in /none cannot be read.",
    ],
    ["list --store https://x.example --key-file /dev/null/keys", 4, "The key file /dev/null/keys"],
    // serve
    ["serve --smtp-url smtps://me:hunter2@h.example", 2, "--smtp-url must not hold a password."],
    ["serve --smtp-url mail.example", 2, "--smtp-url is not the address of a mail server."],
    ["serve --smtp-url smtps://relay@h.example", 2, "--mail-from is missing"],
    ["serve --smtp-url smtps://a@b.example@h --mail-from x", 2, "--mail-from is not an e-mail"],
    ["serve --smtp-url smtps://a@b.example@h", 2, "password of the mail server's user is missing"],
    [
      "serve --smtp-url smtps://a@b.example@h --smtp-password-file /none",
      5,
      "--smtp-password-file /none cannot be read.",
    ],
    ["serve --mail-from a@b.example", 2, "--smtp-url is missing: --mail-from is about it."],
    ["serve --port 70000", 2, "--port must be a number from 0 to 65535"],
    ["serve --host 0.0.0.0", 9, "would cross the network unprotected on 0.0.0.0"],
    ["serve --host :: --public-url https://x.example", 9, "would cross the network unprotected"],
    ["serve --public-url http://x.example", 9, "--public-url must start with https:"],
    ["serve --public-url https://x.example/path", 2, "--public-url must be a URL such as"],
    ["serve --trust-proxy 10.0.0.0/99", 2, "--trust-proxy must be addresses or ranges"],
    ["serve --tls-cert cert.pem", 2, "--tls-key is missing"],
    ["serve --tls-cert /none --tls-key /none", 5, "--tls-cert /none cannot be read."],
    ["serve --expire-uploads never", 2, "--expire-uploads must be a duration"],
    ["serve --data /dev/null/x", 2, "The data folder /dev/null/x cannot be used."],
    [
      "serve --tls-cert package.json --tls-key package.json",
      2,
      "are not a certificate and its key",
    ],
    [
      "serve --host 203.0.113.7 --public-url https://x.example --trust-proxy 10.0.0.0/8 --data {}/s",
      2,
      "203.0.113.7 is not an address of this computer",
    ],
  ])("%s: exit %i, %s", async (line, code, words) => {
    const argv = line.replace("{}", machine.folder).split(" ");
    const ran = await machine.exhibit(argv);
    expect([ran.code, ran.out]).toEqual([code, ""]);
    expect(ran.err).toContain(words);
    expect(ran.err).toMatch(/^error: /);
    const json = await machine.exhibit([...argv, "--json"]);
    expect([json.code, json.out]).toEqual([code, ""]);
    const failure = JSON.parse(json.err) as { type: string; message: string };
    expect(failure.type).toBe("error");
    expect(failure.message).toContain(words);
  });

  it.each([
    ["list --case", "option '--case <ref>' argument missing"],
    ["help nonsense", "unknown command or topic 'nonsense'"],
  ])("%s is told by its name", async (line, words) => {
    const { code, err } = await machine.exhibit(line.split(" "));
    expect([code, err.toLowerCase()]).toEqual([2, expect.stringContaining(words)]);
  });

  it("a server's name without https:// is told how it is written", async () => {
    const { code, err } = await machine.exhibit(["login", "evidence.example.police.uk"]);
    const hint = "If it is a server's address, write https://evidence.example.police.uk.";
    expect([code, err]).toEqual([5, expect.stringContaining(hint)]);
  });

  it("never shows what came from elsewhere as it came", async () => {
    const { err } = await machine.exhibit(["list", "--store", "a\u001b[31m\u202Eb"]);
    expect(err).toContain('"a\\u{1B}[31m\\u{202E}b"');
  });
});

describe("exit codes", () => {
  it("are one for each family, and all are told", async () => {
    const { out } = await machine.exhibit(["help", "exit-codes"]);
    const codes = new Map(errorCodes.map((code) => [familyOf(code), exitCodeOf(code)]));
    expect([...codes.values()].sort()).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    for (const code of [0, 1, ...codes.values(), 130, 143]) {
      expect(out).toMatch(new RegExp(`^ +${code}  `, "m"));
    }
  });

  it.each([
    [1, [], 0],
    [0, [], 0],
    [0, ["not-found.source"], 5],
    [0, ["not-found.source", "not-found.exhibit"], 5],
    [0, ["not-found.source", "integrity.mismatch"], 3],
    [2, ["integrity.mismatch"], 3],
  ] as const)("of %i that succeeded and %j that failed is %i", (succeeded, codes, expected) => {
    expect(
      exitCodeOfMany(
        succeeded,
        codes.map((code) => ({ code })),
      ),
    ).toBe(expected);
  });
});

describe("help and version", () => {
  it.each(["--version", "--help", "help upload", "share create --help", "help environment"])(
    "%s is an answer on stdout",
    async (line) => {
      const { code, out, err } = await machine.exhibit(line.split(" "));
      expect([code, err]).toEqual([0, ""]);
      expect(out).not.toBe("");
    },
  );

  it.each([[[]], [["share"]]])(
    "nothing but %j prints help on stderr and is a usage error",
    async (argv) => {
      const { code, out, err } = await machine.exhibit(argv);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain("Usage: exhibit");
    },
  );

  it.each(["--version", "--help"])("%s opens no file of a heavy package", async (flag) => {
    const folder = await mkdtemp(path.join(tmpdir(), "exhibit-strace-"));
    const trace = path.join(folder, "trace");
    await execute("strace", [
      "-f",
      "-e",
      "trace=openat",
      "-o",
      trace,
      process.execPath,
      program,
      flag,
    ]);
    const opened = (await readFile(trace, "utf8"))
      .split("\n")
      .flatMap(
        (line) => /"([^"]+\.(?:js|cjs|mjs|node))".*(?:= \d|<unfinished)/.exec(line)?.[1] ?? [],
      );
    await rm(folder, { recursive: true });
    expect(opened.filter((file) => file.includes("node_modules"))).toEqual([]);
    // The bundle says above each piece which file it was.
    const texts = await Promise.all([...new Set(opened)].map((file) => readFile(file, "utf8")));
    const packages = texts
      .flatMap((text) => [...text.matchAll(/^\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)])
      .map(([, name]) => name);
    expect([...new Set(packages)]).toEqual(["commander"]);
  });

  it("are what docs/cli.md says", () => {
    const script = fileURLToPath(new URL("../../scripts/generate-cli-docs.js", import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script, "--check"], {
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
  });
});

describe("the manual page", () => {
  const page = fileURLToPath(new URL("../../dist/man/exhibit.1", import.meta.url));

  it("is sound to mandoc", () => {
    const { status, stdout } = spawnSync("mandoc", ["-T", "lint", "-W", "warning", page], {
      encoding: "utf8",
    });
    expect([status, stdout]).toEqual([0, ""]);
  });

  it("has every command with its options, and the help topics", () => {
    const { stdout } = spawnSync("mandoc", ["-T", "utf8", "-O", "width=200", page], {
      encoding: "utf8",
    });
    // Bold is a letter, a step back, and the letter again.
    const text = stdout.split("\b").reduce((before, piece) => before.slice(0, -1) + piece);
    for (const wanted of [
      "   upload [paths...]",
      "--bwlimit <limit>",
      "   share revoke <share>",
      "   completion <shell>",
      "EXHIBIT_KEY_FILE       file that keeps",
      "6  bytes, a signature",
      "defaultStore   store that commands use",
    ]) {
      expect(text).toContain(wanted);
    }
    expect(text).not.toMatch(/^ {3}complete/m);
  });
});

describe("colour and prompts", () => {
  it.each([
    [{}, true, true, true],
    [{ NO_COLOR: "1" }, false, true, true],
    [{ TERM: "dumb" }, false, false, true],
    [{ CI: "true" }, true, false, false],
  ])("on a terminal with %j: colour %p, live %p, questions %p", (env, color, live, interactive) => {
    const { terminal } = fakeTerminal({ live: true, env });
    expect(terminal).toMatchObject({ color, live, interactive });
  });

  it("are not for pipes", () => {
    const { terminal } = fakeTerminal();
    expect(terminal).toMatchObject({
      color: false,
      outputColor: false,
      live: false,
      interactive: false,
    });
  });
});
