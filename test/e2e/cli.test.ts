import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { atTerminal, finish, serve, start } from "../support/built-program.ts";
import { newMachine, type Machine } from "../support/cli.ts";

let root: string;
let server: Awaited<ReturnType<typeof serve>>;
let admin: Machine;
let officer: Machine;
let garage: Machine;
const data = (): string => path.join(root, "data");
const address = "01AB1234526:GN/1";

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "exhibit-e2e-"));
  server = await serve(root, ["--data", data(), "--organisation", "Example Police"]);
  admin = await newMachine();
  officer = await newMachine();
  garage = await newMachine();
}, 60_000);
afterAll(async () => {
  await server.stop();
  for (const folder of [root, admin.folder, officer.folder, garage.folder]) {
    await rm(folder, { recursive: true, force: true });
  }
});

describe("exhibit serve", () => {
  it("answers, and keeps everything to this user", async () => {
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    for (const name of await readdir(data())) {
      expect([name, (await stat(path.join(data(), name))).mode & 0o077]).toEqual([name, 0]);
    }
  });

  it("refuses a second one on its folder, naming the first", async () => {
    const second = await finish(start(root, ["serve", "--port", "0", "--data", data()]));
    expect([second.code, second.out]).toEqual([8, ""]);
    expect(second.err).toContain(`(process ${server.child.pid ?? 0})`);
  }, 30_000);

  it("says so when its port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const argv = ["serve", "--port", port.toString(), "--data", path.join(root, "unused")];
    const refused = await finish(start(root, argv));
    other.close();
    expect([refused.code, refused.err]).toEqual([
      8,
      expect.stringContaining(`Another program already listens on port ${port}.`),
    ]);
  }, 30_000);

  it("shows the first invitation at a terminal, keeps it out of the log, and stops on Ctrl-C", async () => {
    const folder = path.join(root, "shown");
    const terminal = atTerminal(root, ["serve", "--port", "0", "--data", folder]);
    await terminal.shows("shown only now:");
    await terminal.shows("Ctrl-C stops it.");
    const code = /ex1\.[\w-]+\.[\w-]+\.[0-9a-f]{8}/.exec(terminal.screen())?.[0] ?? "none";
    expect(code).toMatch(/^ex1\./);
    terminal.type("\u0003");
    await terminal.shows("Stopped.");
    expect(await terminal.code).toBe(0);
    expect(await readFile(path.join(folder, "logs", "server.jsonl"), "utf8")).not.toContain(code);
    expect(await readdir(folder)).not.toContain("first-admin-invitation.txt");
  }, 30_000);
});

describe("people", () => {
  it("enrol with invitations, each of which works once", async () => {
    const file = path.join(data(), "first-admin-invitation.txt");
    const first = await readFile(file, "utf8");
    const login = ["login", server.url, "--invite-stdin"];
    const enrolled = await admin.exhibit(login, { input: first });
    expect([enrolled.code, enrolled.out]).toEqual([
      0,
      `local  ${server.url}  admin  Example Police\n`,
    ]);
    const again = await garage.exhibit([...login, "--json"], { input: first });
    expect([again.code, JSON.parse(again.err)]).toMatchObject([
      4,
      { code: "auth.invitation-used" },
    ]);
    const mistyped = await garage.exhibit([...login, "--json"], { input: first.slice(0, -3) });
    expect(JSON.parse(mistyped.err)).toMatchObject({ code: "auth.invitation-mistyped" });
  });

  it.each([
    ["officer", "Collision Unit", () => officer],
    ["partner", "Garage North", () => garage],
  ])("are invited as %s", async (role, organisation, machine) => {
    const argv = ["invite", "create", "--role", role, "--org", organisation, "--quota", "1G"];
    const invited = await admin.exhibit(argv);
    const code = invited.out.trim();
    expect([invited.code, code]).toEqual([0, expect.stringMatching(/^ex1\./)]);
    expect(invited.err).not.toContain(code);
    const ran = await machine().exhibit(["login", server.url, "--invite-stdin"], { input: code });
    expect([ran.code, ran.out]).toEqual([0, `local  ${server.url}  ${role}  ${organisation}\n`]);
    expect(ran.out + ran.err).not.toContain(code);
    const who = await machine().exhibit(["whoami"]);
    for (const words of [role, organisation, "0 bytes of 1.00 GiB used", "key file"]) {
      expect(who.out).toContain(words);
    }
  });

  it("keep their key in a plain file when they say so by name, and are not asked again", async () => {
    const machine = await newMachine();
    const env = { EXHIBIT_KEY_FILE: "" };
    const code = (
      await admin.exhibit(["invite", "create", "--role", "partner", "--org", "Garage West"])
    ).out;
    const argv = ["login", server.url, "--invite-stdin", "--insecure-storage"];
    const enrolled = await machine.exhibit(argv, { input: code, env });
    expect([enrolled.code, enrolled.err]).toEqual([0, expect.stringContaining("as you asked")]);
    const file = path.join(machine.folder, "state", "keys.json");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const who = await machine.exhibit(["whoami", "--json"], { env });
    expect(who.json()).toMatchObject({ secretsPlace: `the key file ${file}` });
    expect((await machine.exhibit(["logout"], { env })).code).toBe(0);
    await rm(machine.folder, { recursive: true });
  });

  it("are listed and shut out by an admin only", async () => {
    expect((await garage.exhibit(["identity", "list"])).code).toBe(9);
    const list = await admin.exhibit(["identity", "list"]);
    expect(list.out.match(/ {2}active {2}/g)).toHaveLength(3);
    expect((await admin.exhibit(["invite", "list"])).out).toContain("used");
    const open = await admin.exhibit([
      ...["invite", "create", "--role", "partner", "--org", "Nobody", "--json"],
    ]);
    const { invitation } = open.json() as { invitation: { id: string } };
    expect((await admin.exhibit(["invite", "revoke", invitation.id])).code).toBe(0);
    expect((await admin.exhibit(["invite", "list"])).out).toContain(`${invitation.id}  revoked`);
    expect((await admin.exhibit(["invite", "revoke", "nothing"])).code).toBe(5);
    expect((await admin.exhibit(["identity", "revoke", "nothing"])).code).toBe(5);
  });
});

describe("the main job", () => {
  const bytes = randomBytes(24 * 1024 * 1024);
  const source = (): string => path.join(garage.folder, "bus 42.mp4");
  const upload = (): string[] => [
    ...["upload", source(), "--case", "01AB1234526", "--ref", "GN/1"],
    ...["--part-size", "256K", "--concurrency", "1"],
  ];

  it("is parked by Ctrl-C, and resumed without arguments", async () => {
    await writeFile(source(), bytes);
    const child = start(garage.folder, [...upload(), "--progress", "json"]);
    const closed = once(child, "close");
    let sent = 0;
    for await (const line of createInterface({ input: child.stderr })) {
      if (!line.includes('"part-done"')) continue;
      sent += 1;
      if (sent === 3) child.kill("SIGINT");
    }
    expect(await closed).toEqual([130, null]);
    const listed = await garage.exhibit(["uploads", "list", "--json"]);
    expect(listed.json()).toMatchObject({
      uploads: [{ case: "01AB1234526", reference: "GN/1", sizeBytes: bytes.length }],
      jobs: [{ paths: [source()] }],
    });
    const resumed = await garage.exhibit(["resume"]);
    expect([resumed.code, resumed.out]).toEqual([
      0,
      `${sha256Of(bytes)}  ${address}  bus 42.mp4\n`,
    ]);
    expect(resumed.err).toMatch(/stored and proved \(whole\), .* sent, .* had arrived before/);
    const again = await garage.exhibit([...upload(), "--json"]);
    expect(again.json()).toMatchObject({ exhibits: [{ outcome: "already-present" }] });
  }, 60_000);

  it("ends in shares that can be cut off", async () => {
    const recipient = '{"name":"Jo \u202EProsecutor","email":"jo@cps.example"}';
    const create = ["share", "create", address, "--recipient", "-", "--expires", "7d"];
    const hostile = await officer.exhibit([...create, "--access", "original"], {
      input: recipient,
    });
    expect([hostile.code, hostile.out]).toEqual([2, ""]);
    expect(hostile.err).not.toContain("Prosecutor");

    const input = "Jo Prosecutor <jo@cps.example>";
    const created = await officer.exhibit([...create, "--access", "original"], { input });
    const link = created.out.trim();
    expect([created.code, link]).toEqual([0, expect.stringContaining(`${server.url}/s/`)]);
    expect(created.err).toContain("warning: ");
    expect(created.err).toContain("Nothing was sent to anyone.");
    const code = /Access code: {2}(\S+)/.exec(created.err)?.[1] ?? "none";
    expect(created.out).not.toContain(code);
    const id = /Share (\S+):/.exec(created.err)?.[1] ?? "none";

    expect((await fetch(link)).status).toBe(200);
    const shown = await officer.exhibit(["share", "show", id]);
    expect(shown.out).toContain("Jo Prosecutor <jo@cps.example>");
    expect(shown.out + (await officer.exhibit(["share", "list"])).out).not.toContain(link);
    const log = await officer.exhibit(["share", "log", id]);
    expect(log.code).toBe(0);

    expect((await garage.exhibit(["share", "list"])).code).toBe(9);
    const revoked = await officer.exhibit(["share", "revoke", id]);
    expect([revoked.code, revoked.out]).toEqual([0, `${id}  revoked\n`]);
    expect(revoked.err).toContain("now sees only that the link is not valid");
    const again = await officer.exhibit(["share", "revoke", id, "--json"]);
    expect(again.json()).toMatchObject({ already: true, share: { state: "revoked" } });
    const listed = (await officer.exhibit(["share", "list"])).out;
    expect(listed).toMatch(new RegExp(`^${id} +revoked .*01AB1234526:`, "m"));
  }, 30_000);

  it("leaves a custody log, and a receipt that holds without the server", async () => {
    const log = await officer.exhibit(["log", address]);
    expect(log.err).toContain("the chain is whole; the receipt vouches for its first");
    const receipt = path.join(garage.folder, "state/receipts/01AB1234526/GN_1.receipt.json");
    const checked = await garage.exhibit(["receipt", "verify", receipt, source()]);
    expect([checked.code, checked.err]).toEqual([
      0,
      expect.stringContaining("signed by the store local"),
    ]);
  });

  it("is not open to someone who was shut out, or has left", async () => {
    const identities = (await admin.exhibit(["identity", "list"])).out.split("\n");
    const id = identities.find((line) => line.includes("Garage North"))?.split(" ")[0] ?? "";
    expect((await admin.exhibit(["identity", "revoke", id])).code).toBe(0);
    const refused = await garage.exhibit(["list", "--json"]);
    expect([refused.code, JSON.parse(refused.err)]).toMatchObject([
      4,
      { code: "auth.identity-revoked" },
    ]);
    const left = await officer.exhibit(["logout"]);
    expect([left.code, left.err]).toEqual([0, expect.stringContaining("no longer enrolled")]);
    expect((await officer.exhibit(["list"])).code).toBe(4);
    expect((await officer.exhibit(["logout"])).err).toContain("was not enrolled");
  });
});

describe("at a terminal", () => {
  it("login hides the invitation, tells a mistyped one before it asks the server, and spins", async () => {
    const folder = path.join(root, "operator");
    const code = (
      await admin.exhibit(["invite", "create", "--role", "partner", "--org", "Garage South"])
    ).out.trim();
    const terminal = atTerminal(folder, ["login", server.url]);
    await terminal.shows("Invitation code:");
    terminal.type(`${code.slice(0, -2)}\r`);
    await terminal.shows("typing mistake");
    terminal.type(`${code.slice(-2)}\r`);
    await terminal.shows("Enrolling this machine");
    await terminal.shows("enrolled as partner of Garage South");
    expect(await terminal.code).toBe(0);
    expect(terminal.screen()).toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]\S* Enrolling this machine/);
    expect(terminal.screen()).not.toContain(code.slice(4, 20));
  }, 30_000);

  it("alone does logout spin; a pipe gets plain words", async () => {
    const piped = await finish(start(path.join(root, "operator"), ["logout"]));
    expect([piped.code, piped.err]).toEqual([0, expect.stringContaining("no longer enrolled")]);
    for (const words of ["\u001b", "Taking the enrolment back"]) {
      expect(piped.err).not.toContain(words);
    }
  }, 30_000);
});
