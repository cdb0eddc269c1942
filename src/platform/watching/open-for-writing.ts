import { open, readFile, readdir, readlink } from "node:fs/promises";

/**
 * Which of these files another program has open for writing. Linux tells it of the processes that this user may look at; on Windows
 * a file whose writer does not share it cannot be opened for writing; elsewhere nothing is known, and none is.
 */
export async function openForWriting(
  files: readonly string[],
  platform: NodeJS.Platform,
): Promise<ReadonlySet<string>> {
  if (files.length === 0) return new Set();
  if (platform === "linux") return byProcesses(new Set(files));
  const busy = new Set<string>();
  if (platform !== "win32") return busy;
  for (const file of files) if (await isDenied(file)) busy.add(file);
  return busy;
}

async function byProcesses(files: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const busy = new Set<string>();
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const id of processes) {
    const descriptors = await readdir(`/proc/${id}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${id}/fd/${descriptor}`).catch(() => "");
      if (!files.has(target) || busy.has(target)) continue;
      const facts = await readFile(`/proc/${id}/fdinfo/${descriptor}`, "utf8").catch(() => "");
      // proc(5): the flags of open(2), octal; the last two bits are the access mode.
      const flags = /^flags:\s*([0-7]+)/m.exec(facts)?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0) busy.add(target);
    }
  }
  return busy;
}

async function isDenied(file: string): Promise<boolean> {
  try {
    await (await open(file, "r+")).close();
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EBUSY";
  }
}
