import { readFile, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { flushFolder, writeDurably } from "./durable.ts";
import { errnoOf } from "./failures.ts";
import { keyDigest, keyPath, uploadsFolder } from "./layout.ts";

/**
 * Where a file system has no hard links, a name is taken by an empty file and then renamed over. A marker in the
 * upload's folder, written before, says that an empty file under that key is not content: nobody sees it, and after
 * a crash the same upload may go on.
 */
const markerName = "publishing";

export async function markHolder(folder: string, key: string): Promise<void> {
  await unmarkHolder(folder);
  await writeDurably(path.join(folder, markerName), Buffer.from(key));
  await flushFolder(folder);
}

export async function unmarkHolder(folder: string): Promise<void> {
  await rm(path.join(folder, markerName), { force: true });
}

/** The folders of uploads that have taken this key's name, or had when they crashed. */
export async function holdersOf(root: string, key: string): Promise<string[]> {
  const folders = (await namesIn(uploadsFolder(root)))
    .filter((name) => name.includes(keyDigest(key)))
    .map((name) => path.join(uploadsFolder(root), name));
  const marked = await Promise.all(folders.map((folder) => markedKey(folder)));
  return folders.filter((_, index) => marked[index] === key);
}

/** Gives back the name that an upload took and never filled. For before its folder is removed. */
export async function releaseName(root: string, folder: string): Promise<void> {
  const key = await markedKey(folder);
  if (key === undefined) return;
  const file = keyPath(root, key);
  const found = await stat(file).catch(() => undefined);
  const others = (await holdersOf(root, key)).filter((other) => other !== folder);
  if (found?.size === 0 && others.length === 0) await rm(file, { force: true });
}

async function markedKey(folder: string): Promise<string | undefined> {
  try {
    return await readFile(path.join(folder, markerName), "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
