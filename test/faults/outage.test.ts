import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { newMachine, type Machine } from "../support/cli.ts";
import { startFaultProxy, type FaultProxy } from "../support/fault-proxy.ts";
import { startServer, type TestServer } from "../support/server.ts";

const mib = 1024 * 1024;
const size = 6 * mib;
let proxy: FaultProxy;
let server: TestServer;
let machine: Machine;
let file: string;

beforeAll(async () => {
  proxy = await startFaultProxy();
  server = await startServer({ settings: { publicUrl: proxy.url } });
  proxy.upstreamPort = Number(new URL(server.url).port);
  machine = await newMachine();
  await machine.exhibit(["login", proxy.url, "--invite-stdin"], {
    input: await server.invite("partner"),
  });
  file = path.join(machine.folder, "night.mp4");
  await writeFile(file, randomBytes(size));
});
afterAll(async () => {
  await server.stop();
  await proxy.close();
  await rm(machine.folder, { recursive: true, force: true });
});

/** Resets what runs once so many more bytes have gone up, and from then on refuses every connection. */
async function goneAfter(bytes: number): Promise<void> {
  proxy.set({ resetAfter: bytes });
  await proxy.nextFault();
  proxy.set({ refuse: true });
  proxy.cut();
}

const upload = (...more: string[]): string[] => [
  ...["upload", file, "--case", "OUT/1", "--part-size", "256K", "--json", ...more],
];

it("a network that stays gone is given up after as long as was said, and resume sends the rest", async () => {
  const gone = goneAfter(2 * mib);
  const ran = await machine.exhibit(upload("--give-up-after", "2s"));
  await gone;
  expect([ran.code, ran.out]).toEqual([7, ""]);
  expect(JSON.parse(ran.err)).toMatchObject({
    type: "error",
    code: "unavailable.store",
    hint: expect.stringContaining("exhibit resume"),
  });
  proxy.set({});
  const up = proxy.bytesUp;
  const resumed = await machine.exhibit(["resume", "--json"]);
  expect(resumed.code).toBe(0);
  expect(resumed.json()).toMatchObject({
    jobs: [{ result: { exhibits: [{ outcome: "uploaded" }] } }],
  });
  expect(proxy.bytesUp - up).toBeLessThan(size - mib);
});

it("a network that comes back is found to be back, without being asked", async () => {
  const gone = goneAfter(2 * mib).then(async () => {
    await proxy.nextFault();
    await proxy.nextFault();
    proxy.set({});
  });
  const ran = await machine.exhibit(upload("--source-id", "second"));
  await gone;
  expect([ran.code, ran.err]).toEqual([0, ""]);
  expect(ran.json()).toMatchObject({ exhibits: [{ outcome: "uploaded" }] });
});

it.each([
  ["--bwlimit", "512", /--bwlimit.*512/],
  ["--bwlimit", "Mon-25:00,1M", /--bwlimit/],
  ["--give-up-after", "soon", /--give-up-after.*soon/],
])("%s %s is refused in words", async (flag, value, words) => {
  const ran = await machine.exhibit(upload(flag, value));
  expect([ran.code, ran.out]).toEqual([2, ""]);
  expect(ran.err).toMatch(words);
});
