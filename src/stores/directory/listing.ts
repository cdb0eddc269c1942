import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import { keySchema } from "../../evidence/key.ts";
import { errnoOf } from "./failures.ts";

/**
 * The keys under `root` that start with `prefix`, in key order, one folder in memory at a time. What is not a key of
 * ours, and every link, is passed over.
 */
export async function* listKeys(root: string, prefix: string): AsyncGenerator<string> {
  for (const caseName of await foldersIn(root, "", prefix)) {
    for (const reference of await foldersIn(root, `${caseName}/`, prefix)) {
      const folder = `${caseName}/${reference}/`;
      const entries = await entriesOf(path.join(root, caseName, reference));
      const keys = entries.filter((entry) => entry.isFile()).map((entry) => folder + entry.name);
      for (const key of keys.sort(byCodeUnit)) {
        if (key.startsWith(prefix) && keySchema.safeParse(key).success) yield key;
      }
    }
  }
}

/** Folder names in the order of the keys below them: as if each had its slash (`A-B/` comes before `A/`). */
async function foldersIn(root: string, above: string, prefix: string): Promise<string[]> {
  const only = onlyFolder(above, prefix);
  if (only !== undefined) return (await isFolder(path.join(root, above, only))) ? [only] : [];
  const entries = await entriesOf(path.join(root, ...above.split("/")));
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .filter((name) => leadsTo(`${above}${name}/`, prefix))
    .sort((a, b) => byCodeUnit(`${a}/`, `${b}/`));
}

/** The one folder that a prefix leads to: it alone is looked for, however many lie beside it. */
function onlyFolder(above: string, prefix: string): string | undefined {
  if (!prefix.startsWith(above)) return undefined;
  const [name = "", ...below] = prefix.slice(above.length).split("/");
  return below.length > 0 && name !== "" && !name.startsWith(".") ? name : undefined;
}

async function isFolder(folder: string): Promise<boolean> {
  try {
    return (await lstat(folder)).isDirectory();
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}

function leadsTo(folder: string, prefix: string): boolean {
  return folder.startsWith(prefix) || prefix.startsWith(folder);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
