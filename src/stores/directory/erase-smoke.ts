import { realpath, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import type { SmokeEraser } from "../../evidence/ports/smoke-eraser.ts";
import { requireSmokeKey } from "../../evidence/smoke.ts";
import { flushFolder } from "./durable.ts";
import { errnoOf, inFolder } from "./failures.ts";
import { fileSize, keyPath } from "./layout.ts";

/** Erases synthetic material from a folder. Links are not followed, and a folder is removed only when nothing is left in it. */
export function directorySmokeEraser(folder: string): SmokeEraser {
  return {
    requireErasable: () => Promise.resolve(),
    erase: (key, signal) =>
      inFolder(folder, async () => {
        requireSmokeKey(key);
        signal.throwIfAborted();
        const root = await realpath(folder);
        const file = keyPath(root, key);
        if ((await fileSize(file)) === undefined) return;
        await rm(file, { force: true });
        await removeEmpty(path.dirname(file));
      }),
  };
}

/** The exhibit's folder and the one of all smokes, as far as others have nothing in them. */
async function removeEmpty(exhibitFolder: string): Promise<void> {
  for (const folder of [exhibitFolder, path.dirname(exhibitFolder)]) {
    try {
      await rmdir(folder);
    } catch (error) {
      if (!["ENOTEMPTY", "EEXIST", "ENOENT", "EBUSY"].includes(errnoOf(error) ?? "")) throw error;
      await flushFolder(folder).catch(() => undefined);
      return;
    }
    await flushFolder(path.dirname(folder));
  }
}
