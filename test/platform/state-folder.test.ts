import { execFileSync } from "node:child_process";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { newMachine, type Machine } from "../support/cli.ts";

const isRoot = process.getuid?.() === 0;
const mib = 1024 * 1024;
let machine: Machine;
let file: string;

beforeEach(async () => {
  machine = await newMachine();
  await mkdir(path.join(machine.folder, "nas"));
  file = path.join(machine.folder, "a.mp4");
  await writeFile(file, Buffer.alloc(mib, 7));
  await machine.exhibit(["store", "add", "nas", path.join(machine.folder, "nas")]);
});
afterEach(() => rm(machine.folder, { recursive: true, force: true }));

const upload = (): string[] => ["upload", file, "--case", "D/1", "--ref", "ABC/1"];
const inStore = (): Promise<string[]> => readdir(path.join(machine.folder, "nas"));

it.each([
  ["below a device", "/dev/null/x"],
  ["below a file", "FILE/state"],
])("a state folder %s is refused in words, and nothing is sent", async (_, folder) => {
  const env = { EXHIBIT_STATE_DIR: folder.replace("FILE", file) };
  const ran = await machine.exhibit(upload(), { env });
  expect([ran.code, ran.out]).toEqual([2, ""]);
  expect(ran.err).toContain("EXHIBIT_STATE_DIR");
  expect(await inStore()).not.toContain("D_1");
});

(isRoot ? describe : describe.skip)("a state folder on a disk of its own", () => {
  let disk: string;
  beforeEach(async () => {
    disk = path.join(machine.folder, "disk");
    await mkdir(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
  });
  afterEach(() => {
    // Lazily: statements that are not collected yet keep a closed journal open in this process.
    execFileSync("umount", ["-l", disk]);
  });
  const env = (): Record<string, string> => ({ EXHIBIT_STATE_DIR: path.join(disk, "state") });

  it("that is full is told as that, and the same command goes on once there is room", async () => {
    const filler = path.join(disk, "filler");
    execFileSync("bash", ["-c", 'dd if=/dev/zero of="$0" bs=4k 2>/dev/null || true', filler]);
    expect((await stat(filler)).size).toBeGreaterThan(mib / 2);
    const ran = await machine.exhibit([...upload(), "--json"], { env: env() });
    expect([ran.code, ran.out]).toEqual([7, ""]);
    expect(JSON.parse(ran.err)).toMatchObject({ code: "unavailable.no-space" });
    await rm(filler);
    const again = await machine.exhibit(upload(), { env: env() });
    expect([again.code, again.err]).toEqual([0, expect.stringContaining("stored and proved")]);
  });

  it("that may not be written is told as that, and nothing is sent", async () => {
    execFileSync("mount", ["-o", "remount,ro", disk]);
    const ran = await machine.exhibit(upload(), { env: env() });
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(ran.err).toContain("EXHIBIT_STATE_DIR");
    expect(await inStore()).not.toContain("D_1");
  });
});
