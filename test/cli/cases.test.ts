import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { CodedShare } from "../support/coded-share.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { Recipient } from "../support/recipient.ts";
import { startServer, type TestServer } from "../support/server.ts";

let server: TestServer;
let officer: Machine;
let other: Machine;
let garage: Machine;
const caseRef = "CAD 1/2";

async function machineFor(role: "officer" | "partner", organisation: string): Promise<Machine> {
  const machine = await newMachine();
  const input = await server.invite(role, { organisation });
  const login = await machine.exhibit(["login", server.url, "--invite-stdin"], { input });
  expect([login.code, login.err]).toEqual([0, expect.any(String)]);
  return machine;
}

async function send(name: string, ...more: string[]): Promise<void> {
  const file = path.join(garage.folder, name);
  await writeFile(file, name);
  const ran = await garage.exhibit(["upload", file, "--case", caseRef, ...more]);
  expect([ran.code, ran.err]).toEqual([0, expect.any(String)]);
}

async function share(reference: string, expires: string): Promise<CodedShare> {
  const input = '{"name":"Jane Smith","email":"jane@cps.example"}';
  const argv = ["share", "create", `${caseRef}:${reference}`, "--access", "original"];
  const ran = await officer.exhibit([...argv, "--recipient", "-", "--expires", expires, "--json"], {
    input,
  });
  expect([ran.code, ran.err]).toEqual([0, expect.any(String)]);
  return ran.json() as unknown as CodedShare;
}

beforeAll(async () => {
  server = await startServer();
  officer = await machineFor("officer", "Avonshire Police");
  other = await machineFor("officer", "Avonshire Police");
  garage = await machineFor("partner", "Acme Buses");
  await send("a.txt", "--ref", "GN/1", "--title", "Bus 42");
  await send("b.txt", "--ref", "GN/2");
});
afterAll(async () => {
  await server.stop();
  for (const { folder } of [officer, other, garage]) {
    await rm(folder, { recursive: true, force: true });
  }
});

describe("exhibit case show", () => {
  const inDays = (days: number): string =>
    new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

  it("tells exhibits, shares, who has looked, and what ends before the hearing", async () => {
    const seen = await share("GN/1", "7d");
    await share("GN/2", "30d");
    const recipient = new Recipient(seen.link);
    await recipient.give(seen.code);
    const argv = ["case", "show", "cad 1/2", "--hearing", inDays(14)];
    const ran = await officer.exhibit([...argv, "--json"]);
    expect([ran.code, ran.err]).toEqual([0, ""]);
    expect(ran.json()).toMatchObject({
      schema: "exhibit.case/1",
      case: caseRef,
      exhibits: [
        {
          reference: "GN/1",
          state: "sealed",
          title: "Bus 42",
          files: 1,
          sizeBytes: 5,
          from: { organisation: "Acme Buses" },
          endsBeforeHearing: [],
        },
        { reference: "GN/2" },
      ],
      shares: [
        {
          recipient: { name: "Jane Smith" },
          exhibits: ["GN/1"],
          looked: { times: 1 },
          endsBeforeHearing: [expect.any(String)],
        },
        { exhibits: ["GN/2"], endsBeforeHearing: [] },
      ],
      totals: { sealed: 2, open: 0, files: 2, shares: 2, neverLooked: 1, endBeforeHearing: 1 },
    });
    expect((ran.json()["shares"] as object[])[1]).not.toHaveProperty("looked");
    const words = await officer.exhibit(argv);
    expect(words.out).toMatch(/^GN\/1 {2}complete .* Acme Buses .* Bus 42 +-$/m);
    expect(words.out).toMatch(/ never +Jane Smith +GN\/2 +-$/m);
    expect(words.out).toMatch(/GN\/1 +before the hearing: /);
    expect(words.err).toContain("1 of those that are open was never looked at.");
  });

  it("pages through a case of any size in few requests", async () => {
    const before = server.log.length;
    const session = await server.enrol("officer");
    const { casesOf } = await import("../../src/stores/server/cases.ts");
    const found: string[] = [];
    const signal = AbortSignal.timeout(30_000);
    for await (const { reference } of casesOf(session.session).exhibits(caseRef, signal)) {
      found.push(reference);
    }
    expect(found).toEqual(["GN/1", "GN/2"]);
    const asked = server.log.slice(before).filter((line) => line.includes("/v1/cases"));
    expect(asked.length).toBeLessThanOrEqual(2);
    const token = await session.session.accessToken(signal);
    const url = `${server.url}/v1/cases/exhibits?case=CAD%201/2&limit=1`;
    const headers = { authorization: `Bearer ${token}` };
    const page = (await (await fetch(url, { headers })).json()) as { next: string };
    expect(page).toMatchObject({ exhibits: [{ reference: "GN/1" }], next: "GN/1" });
    const last = await (await fetch(`${url}&after=${page.next}`, { headers })).json();
    expect(last).toMatchObject({ exhibits: [{ reference: "GN/2" }] });
    expect(last).not.toHaveProperty("next");
  });

  it.each([
    ["another officer's shares are not theirs", () => other, 0, /No shares of yours/],
    ["a partner may not ask", () => garage, 9, /not open to the role partner/],
  ])("keeps to itself what is not the caller's: %s", async (_, machine, code, words) => {
    const ran = await machine().exhibit(["case", "show", caseRef]);
    expect([ran.code, ran.err]).toEqual([code, expect.stringMatching(words)]);
  });

  it("says of a case that is not there that it is not there", async () => {
    const ran = await officer.exhibit(["case", "show", "NONE"]);
    expect([ran.code, ran.err]).toEqual([5, expect.stringContaining("no case NONE")]);
  });

  it("works on a store without a server, too", async () => {
    const folder = path.join(other.folder, "nas");
    const { mkdir } = await import("node:fs/promises");
    await mkdir(folder);
    await other.exhibit(["store", "add", "nas", folder]);
    const file = path.join(other.folder, "x.txt");
    await writeFile(file, "x");
    await other.exhibit(["upload", file, "--case", "C9", "--ref", "GN/1", "--store", "nas"]);
    const ran = await other.exhibit(["case", "show", "C9", "--store", "nas", "--json"]);
    expect(ran.json()).toMatchObject({
      exhibits: [{ reference: "GN/1", state: "sealed", files: 1 }],
      shares: [],
    });
  });
});
