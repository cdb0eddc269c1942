import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "@jest/globals";
import { bootCeph } from "../support/ceph.ts";
import { bootSwift } from "../support/swift.ts";

const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;

it("two Ceph clusters and a Swift run side by side, and a gateway that was killed comes back", async () => {
  const [ceph, other, swift] = await Promise.all([bootCeph(), bootCeph(), bootSwift()]);
  try {
    expect(await Promise.all([ceph.url, other.url].map(statusOf))).toEqual([200, 200]);
    expect(await statusOf(`${swift.url}/healthcheck`)).toBe(200);
    await ceph.killGateway();
    await expect(fetch(ceph.url)).rejects.toThrow("fetch failed");
    expect(await statusOf(other.url)).toBe(200);
    await ceph.startGateway();
    expect(await statusOf(ceph.url)).toBe(200);
  } finally {
    await Promise.all([ceph, other, swift].map((engine) => engine.close()));
  }
  await expect(fetch(ceph.url)).rejects.toThrow("fetch failed");
}, 120_000);

it("no daemon and no folder is left when the process that booted an engine is killed", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-engine-"));
  const keeper = fileURLToPath(new URL("../support/engine-keeper.js", import.meta.url));
  const boots = `
    const { spawn } = require("node:child_process");
    const [keeper, folder] = process.argv.slice(1);
    const child = spawn(process.execPath, [keeper, folder], { stdio: ["pipe", "inherit", "inherit"], detached: true });
    child.stdin.write(JSON.stringify({ start: "daemon", argv: ["sleep", "600"] }) + "\\n");`;
  const child = spawn(process.execPath, ["-e", boots, keeper, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  // The keeper holds the pipe, too: it closes when both are gone.
  const closed = once(child, "close");
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const { pid } = JSON.parse(line) as { pid: number };
  expect(process.kill(pid, 0)).toBe(true);
  child.kill("SIGKILL");
  await closed;
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  expect(existsSync(folder)).toBe(false);
});
