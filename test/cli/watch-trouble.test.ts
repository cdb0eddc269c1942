import { execFileSync } from "node:child_process";
import { mkdir, open, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { newMachine, type Machine } from "../support/cli.ts";
import { runningWatch, watchLines, type RunningWatch } from "../support/running-watch.ts";

let machine: Machine;
const at = (...names: string[]): string => path.join(machine.folder, ...names);
const watch = (): RunningWatch =>
  runningWatch(machine, [
    ...[at("in"), "--case", "C/1", "--initials", "ABC", "--settle", "0.1", "--poll", "0.3"],
    ...["--store", `file://${at("store")}`],
  ]);

beforeEach(async () => {
  machine = await newMachine();
  for (const name of ["store", "in", "state"]) await mkdir(at(name));
});
afterEach(() => rm(machine.folder, { recursive: true, force: true }));

(process.getuid?.() === 0 ? it : it.skip)(
  "watch says that the disk of its journal is full, and takes the file once there is room",
  async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", at("state")]);
    try {
      const running = watch();
      await writeFile(at("in", "a.wav"), "call a");
      await running.tells("taken", "a.wav");
      await writeFile(at("state", "filler"), Buffer.alloc(4 * 1024 * 1024)).catch(() => undefined);
      await writeFile(at("in", "b.wav"), "call b");
      await running.tells("trouble");
      await rm(at("state", "filler"));
      await running.tells("taken", "b.wav");
      const ran = await running.stop();
      expect(watchLines(ran.out)).toMatchObject([
        { type: "taken", file: "a.wav" },
        { type: "trouble", code: "unavailable.no-space", seconds: 5 },
        { type: "taken", file: "b.wav", reference: "ABC/2" },
      ]);
    } finally {
      execFileSync("umount", ["-l", at("state")]);
    }
  },
);

it("watch tells once of a file that is written to for ten minutes, and takes it when that ends", async () => {
  const now = performance.now.bind(performance);
  const handle = await open(at("in", "live.wav"), "a");
  await handle.write("a call");
  await writeFile(at("in", "a.wav"), "call a");
  try {
    const running = watch();
    await running.tells("taken", "a.wav");
    // Just before its time; a look later nothing has been said of it.
    performance.now = () => now() + 570_000;
    await writeFile(at("in", "b.wav"), "call b");
    await running.tells("taken", "b.wav");
    performance.now = () => now() + 600_000;
    await running.tells("waiting", "live.wav");
    performance.now = () => now() + 1_300_000;
    await writeFile(at("in", "c.wav"), "call c");
    await running.tells("taken", "c.wav");
    await handle.write(", and its end");
    await handle.close();
    await running.tells("taken", "live.wav");
    const ran = await running.stop();
    expect(watchLines(ran.out)).toMatchObject([
      { type: "taken", file: "a.wav" },
      { type: "taken", file: "b.wav" },
      { type: "waiting", file: "live.wav", reason: "being-written" },
      { type: "taken", file: "c.wav" },
      { type: "taken", file: "live.wav" },
    ]);
  } finally {
    performance.now = now;
  }
});
