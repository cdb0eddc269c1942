import { setTimeout as pause } from "node:timers/promises";

const refusals = new Set(["EPERM", "EACCES", "EBUSY"]);
const pausesMs = [10, 20, 50, 100, 200, 400, 800] as const;

/**
 * Renames and the like, done again for a second and a half where Windows refuses them: most often a virus scanner has the file open that
 * was just written. On other systems the same refusals are final.
 */
export async function outwaitingScanners<Result>(
  work: () => Promise<Result>,
  platform: NodeJS.Platform = process.platform,
): Promise<Result> {
  for (const pauseMs of platform === "win32" ? pausesMs : []) {
    try {
      return await work();
    } catch (error) {
      if (!refusals.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
      await pause(pauseMs);
    }
  }
  return work();
}
