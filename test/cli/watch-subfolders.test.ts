import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { startLimited } from "../support/built-program.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { runningWatch, type RunningWatch, type WatchLine } from "../support/running-watch.ts";

let machine: Machine;
let watch: RunningWatch;
const at = (...names: string[]): string => path.join(machine.folder, "in", ...names);
const argv = (pollSeconds: number): string[] => [
  ...[at(), "--case", "C/1", "--initials", "ABC", "--settle", "0.1"],
  ...["--poll", `${pollSeconds}`, "--store", `file://${path.join(machine.folder, "store")}`],
];

beforeEach(async () => {
  machine = await newMachine();
  await mkdir(path.join(machine.folder, "store"));
  await mkdir(at("old", "older"), { recursive: true });
});
afterEach(() => rm(machine.folder, { recursive: true, force: true }));

it("watch that looks by itself once an hour is told of each file that comes below the folder, wherever its folder comes from", async () => {
  const write = (...names: string[]): Promise<void> => writeFile(at(...names), names.join());
  const elsewhere = path.join(machine.folder, "elsewhere");
  await mkdir(path.join(elsewhere, "deep"), { recursive: true });
  await writeFile(path.join(elsewhere, "deep", "c.wav"), "c");
  watch = runningWatch(machine, argv(3600));
  await write("old", "older", "a.wav");
  await watch.tells("taken", "old/older/a.wav");
  await mkdir(at("new", "newer"), { recursive: true });
  await rename(elsewhere, at("moved"));
  await watch.tells("taken", "moved/deep/c.wav");

  const many = Array.from({ length: 500 }, (_, index) => [`m${index % 9}`, `${index}`]);
  for (const names of many) await mkdir(at(...names), { recursive: true });
  await write("new", "newer", "b.wav");
  await rename(at("moved"), at("renamed"));
  await rm(at("old"), { recursive: true });
  await mkdir(at("old", "older"), { recursive: true });
  await watch.tells("taken", "new/newer/b.wav");
  const last = [["renamed", "deep"], ["old", "older"], ...many.slice(-2)];
  for (const names of last) await write(...names, "d.wav");
  for (const names of last) await watch.tells("taken", [...names, "d.wav"].join("/"));
  expect((await watch.stop()).code).toBe(130);
});

(process.getuid?.() === 0 ? it : it.skip)(
  "where the system tells of no more folders, watch says so once and takes what it finds by looking",
  async () => {
    const child = startLimited(2, machine.folder, ["watch", "--json", ...argv(0.3)]);
    const lines = createInterface({ input: child.stdout });
    const told: WatchLine[] = [];
    for await (const text of lines) {
      const line = JSON.parse(text) as WatchLine;
      told.push(line);
      if (line.type === "limited") await writeFile(at("old", "older", "a.wav"), "a");
      if (line.file === "old/older/a.wav") await writeFile(at("old", "older", "b.wav"), "b");
      if (line.file === "old/older/b.wav") child.kill("SIGINT");
    }
    expect(told.map(({ type, file }) => file ?? type)).toEqual([
      ...["watching", "limited", "old/older/a.wav", "old/older/b.wav"],
    ]);
    expect(told[1]).toMatchObject({ limit: "fs.inotify.max_user_watches", seconds: 0.3 });
  },
);
