import { keySchema } from "../../evidence/key.ts";
import { hasCode } from "../../evidence/errors.ts";
import type { KeyStat } from "../../evidence/ports/store.ts";
import { requireNoClash, type Folders } from "./folders.ts";
import { isFile, type BoxItem } from "./items.ts";

/** Folders that are asked for before they are needed. */
const ahead = 4;

/** Finished keys that start with `prefix`, in key order. Whatever else lies in Box is not told. */
export async function* keysIn(
  folders: Folders,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<KeyStat> {
  signal.throwIfAborted();
  const root = await folders.find("", signal);
  if (root === undefined) return;
  for (const [caseName, caseId] of await foldersIn(folders, root, "", prefix, signal)) {
    const below = `${caseName}/`;
    const exhibits = await foldersIn(folders, caseId, below, prefix, signal);
    const listings: Promise<BoxItem[]>[] = [];
    for (const [index, [exhibit]] of exhibits.entries()) {
      for (const [, id] of exhibits.slice(listings.length, index + ahead)) {
        const listing = all(folders, id, signal);
        // Reported where it is awaited; the others that were asked ahead must not count as unheard.
        listing.catch(() => undefined);
        listings.push(listing);
      }
      const items = (await listings[index]) ?? [];
      const keys = items
        .filter(isFile)
        .map(({ name, size }) => ({ key: `${below}${exhibit}/${name}`, sizeBytes: size }))
        .filter(({ key }) => key.startsWith(prefix) && keySchema.safeParse(key).success);
      yield* keys.sort((a, b) => (a.key < b.key ? -1 : 1));
    }
  }
}

/** Names and ids of the folders in one that keys with this prefix can lie in, in key order. */
async function foldersIn(
  folders: Folders,
  folderId: string,
  above: string,
  prefix: string,
  signal: AbortSignal,
): Promise<(readonly [name: string, id: string])[]> {
  const fits = (name: string): boolean => {
    const path = `${above}${name}/`;
    return path.startsWith(prefix) || prefix.startsWith(path);
  };
  const items = await all(folders, folderId, signal);
  // The one folder that all keys of this prefix lie in, where it names one.
  const [wanted, ...rest] = prefix.slice(above.length).split("/");
  if (wanted !== undefined && rest.length > 0) {
    for (const item of items) requireNoClash(item, "folder", wanted);
  }
  const found = items.flatMap(({ type, name, id }) =>
    type === "folder" && fits(name) ? [[name, id] as const] : [],
  );
  // As the whole keys sort, in which a slash comes behind each name.
  return found.sort(([a], [b]) => (`${a}/` < `${b}/` ? -1 : 1));
}

async function all(folders: Folders, folderId: string, signal: AbortSignal): Promise<BoxItem[]> {
  const items: BoxItem[] = [];
  try {
    for await (const item of folders.items(folderId, signal)) items.push(item);
  } catch (error) {
    // Taken away since its parent was listed.
    const isRoot = folderId === (await folders.find("", signal));
    if (isRoot || !hasCode(error, "not-found.store")) throw error;
  }
  return items;
}
