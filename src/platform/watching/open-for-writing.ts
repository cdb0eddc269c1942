import { open, readFile, readdir, readlink, realpath } from "node:fs/promises";
import path from "node:path";

/**
 * Which of these files another program has open for writing. Linux tells it of the processes that this user may look at; on Windows
 * a file whose writer does not share it cannot be opened for writing; elsewhere nothing is known, and none is.
 */
export async function openForWriting(
  files: readonly string[],
  platform: NodeJS.Platform,
): Promise<ReadonlySet<string>> {
  if (files.length === 0) return new Set();
  if (platform === "linux") return byProcesses(await byRealPath(files));
  const busy = new Set<string>();
  if (platform !== "win32") return busy;
  for (const file of files) if (await isDenied(file)) busy.add(file);
  return busy;
}

/** The system tells of what is open by real paths, and the folder may have been named by a link. */
async function byRealPath(files: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const folders = new Map<string, string>();
  const found = new Map<string, string>();
  for (const file of files) {
    const folder = path.dirname(file);
    const real = folders.get(folder) ?? (await realpath(folder).catch(() => folder));
    folders.set(folder, real);
    found.set(path.join(real, path.basename(file)), file);
  }
  return found;
}

async function byProcesses(files: ReadonlyMap<string, string>): Promise<ReadonlySet<string>> {
  const busy = new Set<string>();
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const id of processes) {
    const descriptors = await readdir(`/proc/${id}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${id}/fd/${descriptor}`).catch(() => "");
      const file = files.get(target);
      if (file === undefined || busy.has(file)) continue;
      const facts = await readFile(`/proc/${id}/fdinfo/${descriptor}`, "utf8").catch(() => "");
      // proc(5): the flags of open(2), octal; the last two bits are the access mode.
      const flags = /^flags:\s*([0-7]+)/m.exec(facts)?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & 3) !== 0) busy.add(file);
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
