import { execFile } from "node:child_process";
import {
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { sealedSchema, unverifiedPayload } from "../../src/evidence/seal.ts";
import { serverStatementPath } from "../../src/protocol/server-statement.ts";
import { finish, start } from "../support/built-program.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { freePort } from "../support/free-port.ts";
import { enrolAt, rebuilding, serveFolder, type FolderServer } from "../support/serving.ts";

const run = promisify(execFile);
const passphrase = "correct horse battery staple";

let root: string;
let machine: Machine;
let port: number;
let server: FolderServer;
let backups: string;
/** Made while uploads were going on, plain and encrypted. */
let plain: string;
let encrypted: string;
/** What had its receipt before the backup began. */
let before: string[];

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "exhibit-backup-"));
  backups = path.join(root, "backups");
  await mkdir(backups);
  await writeFile(path.join(root, "passphrase.txt"), `${passphrase}\n`, { mode: 0o600 });
  await writeFile(path.join(root, "wrong.txt"), "quite another passphrase\n");
  machine = await newMachine();
  port = await freePort();
  server = await serveFolder(data("old"), port);
  await enrolAt(server, machine);
}, 60_000);
afterAll(async () => {
  await server.stop();
  for (const folder of [root, machine.folder]) await rm(folder, { recursive: true });
});

const data = (name: string): string => path.join(root, name);
const withPassphrase = (): string[] => ["--decrypt-with", path.join(root, "passphrase.txt")];

async function upload(name: string, files: number, bytes: number): Promise<string[]> {
  const folder = path.join(root, name);
  await mkdir(folder);
  for (let at = 0; at < files; at += 1) {
    await writeFile(path.join(folder, `${name} ${at}.bin`), Buffer.alloc(bytes, `${name}${at}`));
  }
  const ran = await machine.exhibit(["upload", folder, ...sending, "--json"]);
  expect(ran).toMatchObject({ code: 0, err: "" });
  return addresses(ran.json());
}
const sending = ["--case", "01AB1234526", "--initials", "ABC"];

function addresses(document: Record<string, unknown>): string[] {
  const { exhibits } = document as { exhibits: { receipt: { reference: string } }[] };
  return exhibits.map(({ receipt }) => `01AB1234526:${receipt.reference}`);
}

interface Made {
  readonly file: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly madeAt: string;
  readonly database: { readonly sealed: number; readonly migration: string };
}

/** A backup by a process of its own, as a timer makes it. */
async function backUp(...more: string[]): Promise<Made> {
  const argv = ["server", "backup", backups, "--data", data("old"), "--json", ...more];
  const ran = await finish(start(root, argv));
  expect(ran).toMatchObject({ code: 0, err: "" });
  return JSON.parse(ran.out) as Made;
}

describe("a backup", () => {
  it("is made while uploads are going on, and holds up none of them", async () => {
    before = await upload("before", 3, 5000);
    const going = upload("meanwhile", 40, 200_000);
    const one = await backUp();
    const two = await backUp("--encrypt-with", path.join(root, "passphrase.txt"));
    expect(await going).toHaveLength(40);
    // However quick those were, this one is not in the backups.
    await upload("since", 1, 10);
    [plain, encrypted] = [one.file, two.file];
    for (const made of [one, two]) {
      expect(made.database.sealed).toBeGreaterThanOrEqual(3);
      const bytes = await readFile(made.file);
      expect([sha256Of(bytes), bytes.length]).toEqual([made.sha256, made.sizeBytes]);
      expect((await stat(made.file)).mode & 0o777).toBe(0o600);
    }
    expect((await readdir(backups)).sort()).toEqual(
      [plain, encrypted].map((f) => path.basename(f)).sort(),
    );
    expect((await readdir(data("old"))).filter((name) => name.startsWith("backup-"))).toEqual([]);
  }, 120_000);

  it("is a tar with a manifest that coreutils can check, and nothing readable when it is encrypted", async () => {
    const folder = path.join(root, "by hand");
    await mkdir(folder);
    await run("tar", ["xf", plain, "-C", folder]);
    const manifest = JSON.parse(await readFile(path.join(folder, "manifest.json"), "utf8")) as {
      files: { name: string; digest: { sha256: string } }[];
    };
    const sums = manifest.files.map(({ name, digest }) => `${digest.sha256}  ${name}\n`).join("");
    await writeFile(path.join(folder, "SHA256SUMS"), sums);
    const { stdout } = await run("sha256sum", ["-c", "SHA256SUMS"], { cwd: folder });
    expect(stdout.split("\n").filter((line) => line.endsWith(": OK"))).toHaveLength(3);
    const secret = /"d": "([^"]+)"/.exec(
      await readFile(path.join(folder, "server-key.json"), "utf8"),
    );
    const bytes = await readFile(encrypted);
    for (const word of [secret?.[1] ?? "", "server-key.json", "01AB1234526", passphrase]) {
      expect([word, bytes.includes(word)]).toEqual([word, false]);
    }
  });

  it.each([
    ["is never written over anything", () => [plain, "--data", data("old")], 8, "is there already"],
    ["needs a server", () => [path.join(backups, "x"), "--data", backups], 5, "no exhibit server"],
    [
      "needs a passphrase of some length",
      () => [backups, "--data", data("old"), "--encrypt-with", "-"],
      2,
      "12 characters",
    ],
    [
      "needs a place that can be written",
      () => ["/proc/x.backup", "--data", data("old")],
      2,
      "cannot be written",
    ],
  ] as const)("%s", async (_what, argv, code, words) => {
    const names = await readdir(backups);
    const ran = await machine.exhibit(["server", "backup", ...argv()], { input: "short\n" });
    expect(ran).toMatchObject({ code, out: "", err: expect.stringContaining(words) });
    expect(await readdir(backups)).toEqual(names);
  });
});

describe("a restore", () => {
  /** The backup, changed. */
  async function changed(name: string, of: string, change: (bytes: Buffer) => Buffer) {
    const file = path.join(root, name);
    await writeFile(file, change(await readFile(of)));
    return file;
  }
  const flipAt = (share: number) => (bytes: Buffer) => {
    const at = Math.floor(bytes.length * share);
    bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at);
    return bytes;
  };
  const cutAt = (share: number) => (bytes: Buffer) =>
    bytes.subarray(0, Math.floor(bytes.length * share));

  it.each([
    ["a byte of the database is another", () => changed("a", plain, flipAt(0.5)), 6],
    ["it was cut in the manifest", () => changed("b", plain, (bytes) => bytes.subarray(0, 700)), 6],
    ["it was cut in the key", () => changed("c", plain, (bytes) => bytes.subarray(0, 2600)), 6],
    ["it was cut in the database", () => changed("d", plain, cutAt(0.7)), 6],
    ["it is empty", () => changed("e", plain, () => Buffer.alloc(0)), 6],
    ["it is something else", () => Promise.resolve("package.json"), 6],
    ["an encrypted byte is another", () => changed("f", encrypted, flipAt(0.5)), 6],
    ["its encrypted end is missing", () => changed("g", encrypted, cutAt(0.999)), 6],
    [
      "its first line was changed",
      () => changed("h", encrypted, (b) => (b.writeUInt8(0x39, 60), b)),
      6,
    ],
    ["it is not there", () => Promise.resolve(path.join(root, "none")), 5],
  ] as const)("leaves nothing behind when %s", async (_what, backup, code) => {
    const folder = data("refused");
    const argv = ["server", "restore", await backup(), "--data", folder, ...withPassphrase()];
    const ran = await machine.exhibit(argv);
    expect(ran).toMatchObject({ code, out: "" });
    expect(await readdir(folder)).toEqual([]);
  });

  it("tells a wrong passphrase, and a missing one", async () => {
    const argv = ["server", "restore", encrypted, "--data", data("refused")];
    const wrong = await machine.exhibit([...argv, "--decrypt-with", path.join(root, "wrong.txt")]);
    expect(wrong).toMatchObject({ code: 4, err: expect.stringContaining("not the passphrase") });
    expect(await machine.exhibit(argv)).toMatchObject({
      code: 2,
      err: expect.stringContaining("--decrypt-with is missing"),
    });
  });

  it("is never made over anything", async () => {
    const argv = ["server", "restore", plain, "--data", data("old")];
    const ran = await machine.exhibit(argv);
    expect(ran).toMatchObject({ code: 8, err: expect.stringContaining("is not empty") });
    await mkdir(data("other"));
    await copyFile("package.json", path.join(data("other"), "precious.json"));
    const other = await machine.exhibit(["server", "restore", plain, "--data", data("other")]);
    expect(other.code).toBe(8);
    expect(await readdir(data("other"))).toEqual(["precious.json"]);
  });

  it("gives a server that its clients know: what had a receipt before the backup is there at once, the rest after --rebuild-index", async () => {
    await server.stop();
    const argv = ["server", "restore", encrypted, "--data", data("new"), ...withPassphrase()];
    const restored = await machine.exhibit(argv);
    expect(restored.code).toBe(0);
    expect(restored.err).toContain(`exhibit serve --rebuild-index --data ${data("new")}`);
    expect((await stat(path.join(data("new"), "server-key.json"))).mode & 0o777).toBe(0o600);
    await rm(path.join(data("new"), "content"), { recursive: true });
    await rename(path.join(data("old"), "content"), path.join(data("new"), "content"));

    server = await serveFolder(data("new"), port, { organisation: undefined });
    // Not said again, the name is that of the last start.
    const statement = await fetch(
      `${server.serving.url}${serverStatementPath}?nonce=${"n".repeat(22)}`,
    );
    expect(unverifiedPayload(sealedSchema.parse(await statement.json()))).toMatchObject({
      organisation: "Example Police",
    });
    for (const address of before) {
      expect(await machine.exhibit(["verify", address])).toMatchObject({ code: 0 });
    }
    // A reference that the content has, and the database does not, is not given a second time.
    const [later = ""] = await upload("later", 1, 10);
    expect(later).toBe("01AB1234526:ABC/45");

    await server.stop();
    const request = rebuilding();
    server = await serveFolder(data("new"), port, { rebuildIndex: request });
    const { rebuilt } = server.serving;
    expect(request.leftOut).toEqual([]);
    expect(rebuilt).toMatchObject({ looked: 45, unsealed: 0, notIndexed: 0 });
    const { added = 0, finished = 0, present = 0 } = rebuilt ?? {};
    expect(added + finished + present).toBe(45);
    expect(present).toBeGreaterThanOrEqual(4);
    expect(added + finished).toBeGreaterThan(0);
    const listed = await machine.exhibit(["list", "--json"]);
    expect((listed.json() as { exhibits: unknown[] }).exhibits).toHaveLength(45);
    expect(await machine.exhibit(["verify", "01AB1234526:ABC/43"])).toMatchObject({ code: 0 });
    expect(await machine.exhibit(["log", "01AB1234526:ABC/43"])).toMatchObject({ code: 0 });
    // The same sources again are the same exhibits.
    const again = await machine.exhibit([
      "upload",
      path.join(root, "meanwhile"),
      ...sending,
      "--json",
    ]);
    expect(addresses(again.json())).toHaveLength(40);

    await server.stop();
    server = await serveFolder(data("new"), port, { rebuildIndex: rebuilding() });
    expect(server.serving.rebuilt).toMatchObject({ looked: 45, present: 45 });
  }, 120_000);
});
