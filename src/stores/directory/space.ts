import { stat, statfs } from "node:fs/promises";
import path from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import { uploadFolders } from "./unfinished.ts";

/**
 * Refuses what cannot fit beside what other unfinished uploads still need.
 *
 * @throws ExhibitError `unavailable.no-space`
 */
export async function assertFits(root: string, sizeBytes: number): Promise<void> {
  const freeBytes = await freeBytesIn(root);
  let promisedBytes = 0;
  for (const folder of await uploadFolders(root)) promisedBytes += await missingBytes(folder);
  if (sizeBytes + promisedBytes <= freeBytes) return;
  throw new ExhibitError("unavailable.no-space", "The store has no room for this file.", {
    hint: "Make room on the store's disk, or abort unfinished uploads that are no longer wanted.",
    facts: { neededBytes: sizeBytes, freeBytes, promisedBytes },
  });
}

/** What this user may still write to the disk that a folder lies on. */
export async function freeBytesIn(root: string): Promise<number> {
  const { bavail, bsize } = await statfs(root);
  return bavail * bsize;
}

/** What an upload still needs on the disk; the file is sparse, so its blocks tell what it has. */
async function missingBytes(folder: string): Promise<number> {
  const sizeBytes = Number(path.basename(folder).split("-")[1]);
  const found = await stat(path.join(folder, "content")).catch(() => undefined);
  return found === undefined ? 0 : Math.max(0, sizeBytes - found.blocks * 512);
}
