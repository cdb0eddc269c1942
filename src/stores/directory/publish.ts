import { chmod, link, open, rename, stat } from "node:fs/promises";
import path from "node:path";
import { noHardLinks } from "../../evidence/no-hard-links.ts";
import { outwaitingScanners } from "../../evidence/held-files.ts";
import { flushFolder, makeFolder } from "./durable.ts";
import { errnoOf } from "./failures.ts";
import { keyPath } from "./layout.ts";
import { holdersOf, markHolder, unmarkHolder } from "./placeholder.ts";

/** The mode of everything that is finished. */
const readOnly = 0o440;

/**
 * Gives a finished, flushed temporary file its final name, read-only from then on. Never overwrites: a hard link
 * fails where the name is taken, whoever was first. Returns false in that case.
 */
export async function publish(root: string, temporary: string, key: string): Promise<boolean> {
  const file = keyPath(root, key);
  const folder = path.dirname(file);
  await makeFolder(root, folder);
  try {
    await link(temporary, file);
  } catch (error) {
    const code = errnoOf(error) ?? "";
    if (code === "EEXIST") return false;
    if (!noHardLinks.has(code)) throw error;
    if (!(await publishByRename(root, temporary, file, key))) return false;
  }
  // Only now: a read-only file that was never published could not be gone on with after a crash.
  await chmod(file, readOnly);
  await flushFolder(folder);
  return true;
}

/** Takes the name by making an empty file under it, then renames over that. */
async function publishByRename(
  root: string,
  temporary: string,
  file: string,
  key: string,
): Promise<boolean> {
  const holder = path.dirname(temporary);
  const empty = (await stat(temporary)).size === 0;
  if (!empty) await markHolder(holder, key);
  try {
    // Not read-only yet: Windows renames nothing over a file that is.
    await (await open(file, "wx", 0o640)).close();
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    const leftByUs = (await stat(file)).size === 0 && (await isOnlyHolder(root, key, holder));
    if (empty || !leftByUs) {
      await unmarkHolder(holder);
      return false;
    }
  }
  if (!empty) await outwaitingScanners(() => rename(temporary, file));
  await unmarkHolder(holder);
  return true;
}

/** True when no other upload can have made the empty file: then a crash of ours left it. */
async function isOnlyHolder(root: string, key: string, holder: string): Promise<boolean> {
  return (await holdersOf(root, key)).every((other) => other === holder);
}
