import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { finish, start } from "../support/built-program.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { startFaultProxy, type FaultProxy } from "../support/fault-proxy.ts";
import { startServer, type TestServer } from "../support/server.ts";

const mib = 1024 * 1024;
const size = 16 * mib;
/** What the product promises, from the first Ctrl-C to the end of the process; and what a busy machine may take on top. */
const promisedMs = 3000;
const busyMs = 1000;
const limitMs = 60_000;

let proxy: FaultProxy;
let server: TestServer;
let machine: Machine;
let ordinal = 0;

beforeAll(async () => {
  proxy = await startFaultProxy();
  server = await startServer({ settings: { publicUrl: proxy.url } });
  proxy.upstreamPort = Number(new URL(server.url).port);
  machine = await newMachine();
  await machine.exhibit(["login", proxy.url, "--invite-stdin"], {
    input: await server.invite("partner"),
  });
});
afterAll(async () => {
  await server.stop();
  await proxy.close();
  await rm(machine.folder, { recursive: true, force: true });
});

interface Run {
  readonly argv: readonly string[];
  readonly sha256: string;
  readonly child: ChildProcessWithoutNullStreams;
  readonly closed: Promise<number | null>;
  readonly err: () => string;
}

/** Starts an upload, and waits until some of it has arrived and more is on its way. */
async function underWay(...more: string[]): Promise<Run> {
  ordinal += 1;
  const bytes = randomBytes(size);
  const file = path.join(machine.folder, `${ordinal}.mp4`);
  await writeFile(file, bytes);
  const argv = ["upload", file, "--case", `INT/${ordinal}`, "--json", ...more];
  const reached = proxy.whenUp(proxy.bytesUp + 4 * mib);
  const child = start(machine.folder, [...argv, "--progress", "json"]);
  let err = "";
  const lines = createInterface({ input: child.stderr });
  const arrived = new Promise<void>((resolve) => {
    lines.on("line", (line) => {
      err += `${line}\n`;
      if (line.includes('"part-done"')) resolve();
    });
  });
  const closed = once(child, "close").then(([code]: unknown[]) => code as number | null);
  await Promise.all([reached, arrived]);
  return { argv, sha256: sha256Of(bytes), child, closed, err: () => err };
}

function digestOf(out: string): string | undefined {
  const { exhibits } = JSON.parse(out) as {
    exhibits: { contents: { sha256: string }[] }[];
  };
  return exhibits[0]?.contents[0]?.sha256;
}

describe("an upload with parts on their way through a slow line", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "is gone within 3 s of one %s, with exit code %i, and goes on where it was",
    async (signal, code) => {
      proxy.bytesPerSecond = 3 * mib;
      const { argv, sha256, child, closed, err } = await underWay();
      // What is in flight would take a minute now.
      proxy.bytesPerSecond = mib / 8;
      const before = performance.now();
      child.kill(signal);
      expect(await closed).toBe(code);
      expect(performance.now() - before).toBeLessThan(promisedMs + busyMs);
      expect(err()).toMatch(/"code":"interrupted".*exhibit resume/);
      // What it left in the buffers on the way is nobody's any more, and is not to be counted.
      proxy.cut();
      proxy.bytesPerSecond = Infinity;
      const up = proxy.bytesUp;
      const resumed = await finish(start(machine.folder, argv));
      expect([resumed.code, digestOf(resumed.out)]).toEqual([0, sha256]);
      const { exhibits } = JSON.parse(resumed.out) as { exhibits: { bytesSkipped: number }[] };
      const { bytesSkipped = 0 } = exhibits[0] ?? {};
      expect(bytesSkipped).toBeGreaterThanOrEqual(mib);
      expect(proxy.bytesUp - up).toBeLessThan(size - bytesSkipped + mib / 4);
    },
    limitMs,
  );

  it(
    "is gone at once when told twice, and goes on where it was",
    async () => {
      proxy.bytesPerSecond = 3 * mib;
      const { argv, sha256, child, closed } = await underWay();
      const before = performance.now();
      // As a person does who presses Ctrl-C until something happens.
      const again = setInterval(() => child.kill("SIGINT"), 100);
      child.kill("SIGINT");
      expect(await closed).toBe(130);
      clearInterval(again);
      expect(performance.now() - before).toBeLessThan(1500);
      proxy.bytesPerSecond = Infinity;
      const resumed = await finish(start(machine.folder, argv));
      expect([resumed.code, digestOf(resumed.out)]).toEqual([0, sha256]);
    },
    limitMs,
  );

  it.each([
    ["for a moment", false],
    ["so long that its connections are gone, as in sleep,", true],
  ])(
    "that is stopped %s goes on by itself",
    async (_, isCut) => {
      proxy.bytesPerSecond = 6 * mib;
      const { sha256, child, closed } = await underWay();
      let out = "";
      child.stdout.on("data", (bytes: Buffer) => (out += bytes.toString()));
      child.kill("SIGSTOP");
      if (isCut) proxy.cut();
      await new Promise((resolve) => setTimeout(resolve, 2000));
      proxy.bytesPerSecond = Infinity;
      child.kill("SIGCONT");
      expect([await closed, digestOf(out)]).toEqual([0, sha256]);
    },
    limitMs,
  );

  it(
    "is left alone by a second process that is told to send the same file",
    async () => {
      proxy.bytesPerSecond = 6 * mib;
      const { argv, sha256, child, closed } = await underWay();
      let out = "";
      child.stdout.on("data", (bytes: Buffer) => (out += bytes.toString()));
      // The first is to be still running whenever the second gets that far.
      proxy.bytesPerSecond = mib / 8;
      const second = await finish(start(machine.folder, argv));
      expect([second.code, second.out]).toEqual([8, ""]);
      expect(JSON.parse(second.err)).toMatchObject({
        code: "conflict.locked",
        facts: { pid: child.pid },
      });
      proxy.bytesPerSecond = Infinity;
      expect([await closed, digestOf(out)]).toEqual([0, sha256]);
    },
    limitMs,
  );
});
