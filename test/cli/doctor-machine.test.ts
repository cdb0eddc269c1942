import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { DoctorFinding } from "../../src/evidence/ports/doctor.ts";
import { examineCertificates } from "../../src/platform/doctor/certificates.ts";
import { isOnNetwork } from "../../src/platform/doctor/state-folder.ts";
import { examineNode } from "../../src/platform/doctor/this-program.ts";
import { openJournal } from "../../src/platform/journal.ts";
import { newMachine, type Machine } from "../support/cli.ts";

let folder: string;
let certificate: string;
let late: Server;
let lateUrl: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-doctor-"));
  certificate = path.join(folder, "ca.pem");
  // prettier-ignore
  await promisify(execFile)("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=Garage CA", "-keyout", path.join(folder, "key.pem"), "-out", certificate,
  ]);
  late = createServer((_, answer) => {
    answer.setHeader("date", new Date(Date.now() - 2 * 3_600_000).toUTCString());
    answer.end("ok");
  });
  await once(late.listen(0, "127.0.0.1"), "listening");
  lateUrl = `http://127.0.0.1:${(late.address() as AddressInfo).port}`;
});
afterAll(async () => {
  late.close();
  late.closeAllConnections();
  await rm(folder, { recursive: true });
});

interface Case {
  readonly what: string;
  readonly prepare?: (machine: Machine) => Promise<void>;
  readonly env?: Record<string, string>;
  readonly argv?: () => readonly string[];
  readonly code: number;
  /** What is found, by its id. */
  readonly found: Record<string, Partial<Record<keyof DoctorFinding, unknown>>>;
}

function config(content: () => string): (machine: Machine) => Promise<void> {
  return async (machine) => {
    const dir = machine.env["EXHIBIT_CONFIG_DIR"] ?? "";
    await mkdir(dir, { recursive: true });
    await writeFile(path.join(dir, "config.json"), content());
  };
}

function withStore(name: string, url: () => string): (machine: Machine) => Promise<void> {
  return async (machine) => {
    expect((await machine.exhibit(["store", "add", name, url()])).code).toBe(0);
  };
}

const cases: readonly Case[] = [
  {
    what: "a machine on which all is well",
    code: 0,
    found: {
      node: { verdict: "ok" },
      configuration: { verdict: "ok", words: expect.stringContaining("names 0 stores") },
      "state-folder": { verdict: "ok" },
      "free-space": { verdict: "ok" },
      "local-disk": { verdict: "ok" },
      unfinished: { verdict: "ok", words: "no upload was broken off" },
      keys: { verdict: "ok", words: expect.stringMatching(/answers in \d+ ms; it will be made/) },
      "hash-speed": { words: expect.stringMatching(/^\d+ MiB\/s; a file of 10 GB takes/) },
      ffmpeg: { words: expect.stringMatching(/^ffmpeg \d/) },
    },
  },
  {
    what: "a configuration with a misspelt setting",
    prepare: config(() => '{"writtenBy":"0.1.0","stores":{},"storse":1}'),
    code: 2,
    found: { configuration: { verdict: "will-not-work", code: "usage.invalid" } },
  },
  {
    what: "a state folder that is a file",
    prepare: async ({ env }) => writeFile(env["EXHIBIT_STATE_DIR"] ?? "", "a file"),
    code: 2,
    found: { "state-folder": { verdict: "will-not-work", code: "usage.invalid" } },
  },
  {
    what: "a key file that others can read",
    prepare: async ({ env }) => {
      const file = env["EXHIBIT_KEY_FILE"] ?? "";
      await writeFile(file, '{"schema":"exhibit.keys/1","entries":{}}');
      await chmod(file, 0o644);
    },
    code: 4,
    found: { keys: { verdict: "will-not-work", code: "auth.key-file" } },
  },
  {
    what: "an upload that was broken off",
    prepare: ({ env }) => {
      const file = path.join(env["EXHIBIT_STATE_DIR"] ?? "", "journal.sqlite");
      const journal = openJournal(file, () => undefined);
      const startedAt = "2026-11-21T10:00:00.000Z";
      journal.saveJob({ id: "j1", store: "met", request: {}, startedAt });
      journal.close();
      return Promise.resolve();
    },
    code: 0,
    found: { unfinished: { words: "1 unfinished, the first begun on 2026-11-21" } },
  },
  {
    what: "certificates to trust, too",
    argv: () => ["--ca-file", certificate],
    code: 0,
    found: {
      "certificate-1": {
        verdict: "ok",
        words: expect.stringContaining("CN=Garage CA, good until"),
        remedy: "Ask for its successor now.",
      },
    },
  },
  {
    what: "a file of certificates that is not there",
    argv: () => ["--ca-file", "/nowhere.pem"],
    code: 5,
    found: { "ca-file": { verdict: "will-not-work", code: "not-found.source" } },
  },
  {
    what: "a server whose clock says otherwise",
    prepare: withStore("met", () => lateUrl),
    code: 0,
    found: {
      "reach met": { verdict: "ok", words: expect.stringContaining("without a proxy") },
      "clock met": {
        verdict: "ok",
        words: expect.stringMatching(/2 h.* ahead/),
        remedy: expect.any(String),
      },
    },
  },
  {
    what: "a bucket, which refuses what is signed by a wrong clock",
    prepare: withStore(
      "vault",
      () => `s3://bucket/p?endpoint=${encodeURIComponent(lateUrl)}&region=x`,
    ),
    code: 4,
    found: { "clock vault": { verdict: "will-not-work", code: "auth.clock-wrong" } },
  },
  {
    what: "a server that nobody is at",
    prepare: withStore("met", () => "http://127.0.0.1:9"),
    code: 7,
    found: { "reach met": { verdict: "will-not-work", code: "unavailable.store" } },
  },
  {
    what: "a proxy that nobody is at, without its password",
    prepare: withStore("met", () => "https://evidence.test"),
    env: { HTTPS_PROXY: "http://garage:hunter2@127.0.0.1:9", NO_PROXY: "" },
    code: 7,
    found: {
      "proxy met": {
        verdict: "will-not-work",
        words: "nothing listens at the proxy 127.0.0.1:9",
        remedy: expect.stringContaining("NO_PROXY"),
      },
    },
  },
];

it.each(cases)("says what it finds of $what", async ({ prepare, env, argv, code, found }) => {
  const machine = await newMachine();
  try {
    await prepare?.(machine);
    const ran = await machine.exhibit(["doctor", "--json", ...(argv?.() ?? [])], {
      env: env ?? {},
    });
    const document = ran.json() as unknown as { schema: string; findings: DoctorFinding[] };
    expect(document.schema).toBe("exhibit.doctor-machine/1");
    const byId = Object.fromEntries(document.findings.map((finding) => [finding.id, finding]));
    for (const [id, finding] of Object.entries(found)) expect(byId[id]).toMatchObject(finding);
    expect(ran.code).toBe(code);
    expect(`${ran.out}${ran.err}`).not.toContain("hunter2");
    const left = await readdir(machine.env["EXHIBIT_STATE_DIR"] ?? "").catch(() => []);
    expect(left.filter((name) => name.startsWith(".doctor"))).toEqual([]);
  } finally {
    await rm(machine.folder, { recursive: true });
  }
});

it("says to a person what to do", async () => {
  const machine = await newMachine();
  const ran = await machine.exhibit(["doctor", "--ca-file", "/nowhere.pem"]);
  expect(ran.out).toMatch(
    /WILL NOT WORK +ca-file +The certificates in \/nowhere\.pem cannot be read/,
  );
  await rm(machine.folder, { recursive: true });
});

it.each([
  ["v20.18.1", "will-not-work"],
  ["v18.20.0", "will-not-work"],
  ["v20.19.0", "ok"],
  ["v22.0.0", "ok"],
])("finds that Node %s is %s", (version, verdict) => {
  expect(examineNode(version, "win32", "x64").verdict).toBe(verdict);
});

it.each([
  ["\\\\server\\share\\state", 0, true],
  ["\\\\?\\UNC\\server\\share", 0, true],
  ["\\\\?\\C:\\Users\\garage", 0, false],
  ["C:\\Users\\garage", 0, false],
  ["/home/garage", 0x6969, true],
  ["/home/garage", 0xef53, false],
])("knows of %s on %i whether it is a network drive", (place, type, isNetwork) => {
  expect(isOnNetwork(place, type)).toBe(isNetwork);
});

it("tells a certificate that is over, and one that cannot be read", async () => {
  const year2100 = new Date("2100-01-01");
  expect(examineCertificates(await readFile(certificate, "utf8"), year2100)).toMatchObject([
    { verdict: "will-not-work", words: expect.stringContaining("it is over") },
  ]);
  const unread = examineCertificates(
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    new Date(),
  );
  expect(unread).toMatchObject([{ verdict: "will-not-work", code: "usage.invalid" }]);
});
