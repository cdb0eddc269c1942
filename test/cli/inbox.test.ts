import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { inbox } from "../../src/app/inbox.ts";
import type { Arrival } from "../../src/evidence/arrival.ts";
import { ExhibitError } from "../../src/evidence/errors.ts";
import { Interrupted } from "../../src/cli/interrupted.ts";
import { run } from "../../src/cli/run.ts";
import { terminalOf } from "../../src/cli/ui/terminal.ts";
import { composeMachine } from "../../src/main.ts";
import { revokeIdentity } from "../../src/server/accounts/identities.ts";
import { noteArrivals } from "../../src/server/inbox/arrivals.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { makeClient, type TestClient } from "../support/client.ts";
import { startFaultProxy, type FaultProxy } from "../support/fault-proxy.ts";
import { enrol, soon, startServer, type Person, type TestServer } from "../support/server.ts";

let proxy: FaultProxy;
let server: TestServer;
let officer: Machine;
let garage: Machine;

async function machineFor(role: "officer" | "partner", organisation: string): Promise<Machine> {
  const machine = await newMachine();
  const input = await server.invite(role, { organisation });
  const login = await machine.exhibit(["login", proxy.url, "--invite-stdin"], { input });
  expect([login.code, login.err]).toEqual([0, expect.any(String)]);
  return machine;
}

/** Sends one file a case, from the garage. */
async function land(name: string, caseRef: string): Promise<void> {
  const file = path.join(garage.folder, name);
  await writeFile(file, name);
  const ran = await garage.exhibit(["upload", file, "--case", caseRef, "--title", `of ${name}`]);
  expect([ran.code, ran.err]).toEqual([0, expect.any(String)]);
}

const titles = (out: string): (string | undefined)[] =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as Arrival).title);

beforeAll(async () => {
  proxy = await startFaultProxy();
  server = await startServer({ settings: { publicUrl: proxy.url } });
  proxy.upstreamPort = Number(new URL(server.url).port);
  officer = await machineFor("officer", "Avonshire Police");
  garage = await machineFor("partner", "Acme Buses");
});
afterAll(async () => {
  await server.stop();
  await proxy.close();
  for (const { folder } of [officer, garage]) await rm(folder, { recursive: true, force: true });
});

describe("exhibit inbox", () => {
  it("tells what landed in followed cases since the last look, once, newest last", async () => {
    const followed = await officer.exhibit(["case", "follow", "c1"]);
    expect([followed.code, followed.out]).toEqual([0, "C1\n"]);
    await land("a.txt", "C1");
    await land("b.txt", "C2");
    await land("c.txt", "C1");
    const ran = await officer.exhibit(["inbox", "--json"]);
    expect([ran.code, ran.err, titles(ran.out)]).toEqual([0, "", ["of a.txt", "of c.txt"]]);
    expect(JSON.parse(ran.out.split("\n")[0] ?? "")).toMatchObject({
      schema: "exhibit.arrival/1",
      case: "C1",
      from: { organisation: "Acme Buses" },
      files: 1,
      sizeBytes: 5,
    });
    const again = await officer.exhibit(["inbox"]);
    expect([again.code, again.out, again.err]).toEqual([
      ...[0, "", expect.stringContaining("Nothing new has landed")],
    ]);
  });

  it.each([
    [
      ["--since", "1d"],
      ["of a.txt", "of c.txt"],
    ],
    [["--since", "2099-01-01"], []],
    [["--case", "C2", "--since", "1d"], ["of b.txt"]],
  ])("with %j looks again, and moves no mark", async (argv, found) => {
    const ran = await officer.exhibit(["inbox", ...argv, "--json"]);
    expect([ran.code, titles(ran.out)]).toEqual([0, found]);
  });

  it("counts as one's own cases those one has sent something in, unless they are unfollowed", async () => {
    const file = path.join(officer.folder, "own.txt");
    await writeFile(file, "own");
    await officer.exhibit(["upload", file, "--case", "C3"]);
    const listed = await officer.exhibit(["case", "list", "--json"]);
    expect(listed.json()["cases"]).toEqual([
      { case: "C1", followed: true },
      { case: "C3", followed: false },
    ]);
    await officer.exhibit(["case", "unfollow", "C3"]);
    await officer.exhibit(["case", "unfollow", "C1"]);
    expect((await officer.exhibit(["case", "list"])).out).toBe("");
    await officer.exhibit(["case", "follow", "C1"]);
  });

  it("is not for partners, nor for a store that has no server", async () => {
    expect((await garage.exhibit(["inbox"])).code).toBe(9);
    await mkdir(path.join(garage.folder, "nas"));
    await garage.exhibit(["store", "add", "nas", path.join(garage.folder, "nas")]);
    const ran = await garage.exhibit(["inbox", "--store", "nas"]);
    expect([ran.code, ran.err]).toEqual([9, expect.stringContaining("exhibit list --case")]);
  });

  it("follows until Ctrl-C, a line of JSON at a time, and ends with exit code 130", async () => {
    const stop = new AbortController();
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const stdin = new PassThrough();
    const terminal = terminalOf({ stdin, stdout, stderr, env: {} });
    const facts = { platform: process.platform, home: officer.folder, env: officer.env };
    const ran = run(["inbox", "--follow", "--json"], {
      terminal,
      machine: composeMachine(facts, "0.1.0", terminal),
      version: "0.1.0",
      signal: stop.signal,
    });
    await land("d.txt", "C1");
    const [line] = (await once(stdout, "data")) as [Buffer];
    expect(titles(line.toString())).toEqual(["of d.txt"]);
    stop.abort(new Interrupted("SIGINT"));
    expect(await ran).toBe(130);
  });
});

describe("a line that is followed", () => {
  let person: Person;
  let client: TestClient;
  const told: (string | undefined)[] = [];
  let waiting: (() => void)[] = [];
  let stop: AbortController;
  let following: Promise<unknown>;
  const until = async (title: string): Promise<void> => {
    while (!told.includes(title)) await new Promise<void>((resolve) => waiting.push(resolve));
  };

  beforeAll(async () => {
    person = await enrol(proxy.url, await server.invite("officer"));
    client = await makeClient(proxy.url, person.machine);
    stop = new AbortController();
    const onArrival = ({ title }: Arrival): Promise<boolean> => {
      told.push(title);
      for (const wake of waiting.splice(0)) wake();
      return Promise.resolve(true);
    };
    await person.session.call(
      { method: "POST", path: "/v1/inbox/cases", body: { case: "C9", follow: true } },
      soon(),
    );
    const request = { follow: true, onArrival };
    following = inbox(client.deps, request, stop.signal).catch((error: unknown) => error);
  });
  afterAll(() => client.close());

  it("misses nothing, and tells nothing twice, over broken connections and a restart", async () => {
    await land("1.txt", "C9");
    await until("of 1.txt");
    proxy.cut();
    await land("2.txt", "C9");
    await until("of 2.txt");
    await server.restart();
    await land("3.txt", "C9");
    proxy.cut();
    await land("4.txt", "C9");
    await until("of 4.txt");
    expect(told).toEqual(["of 1.txt", "of 2.txt", "of 3.txt", "of 4.txt"]);
  });

  it("goes on with a new token when the server takes the old one no more", async () => {
    person.session.dropToken(await person.session.accessToken(soon()));
    proxy.cut();
    await land("5.txt", "C9");
    await until("of 5.txt");
  });

  it("ends when the identity is revoked", async () => {
    await revokeIdentity(server.deps.database, person.identity.id, new Date());
    const ended = await following;
    expect(ended).toBeInstanceOf(ExhibitError);
    expect(ended).toMatchObject({ code: "auth.identity-revoked" });
    waiting = [];
  });

  it("knows an arrival once, however often it is written down", async () => {
    const { database } = server.deps;
    const rows = await database.selectFrom("arrivals").selectAll().execute();
    await noteArrivals(database, [rows[0]?.exhibit_id ?? ""]);
    expect(await database.selectFrom("arrivals").selectAll().execute()).toEqual(rows);
  });
});
