import { lstat, realpath } from "node:fs/promises";
import path from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import { keySchema } from "../../evidence/key.ts";
import { sha256Of } from "../../evidence/digest.ts";
import { errnoOf } from "./failures.ts";

/** The folder, beside the cases, in which everything unfinished lies. No case can have this name. */
export function uploadsFolder(root: string): string {
  return path.join(root, ".uploads");
}

/** The name of a key's unfinished upload: of the key only a digest, then the size. */
export function uploadFolderName(key: string, sizeBytes: number): string {
  return `${keyDigest(key)}-${sizeBytes}`;
}

/** How a key is named inside the uploads folder. */
export function keyDigest(key: string): string {
  return sha256Of(key).slice(0, 32);
}

/** Where a key's bytes lie. @throws ExhibitError `usage.invalid` for anything that is not a key of ours */
export function keyPath(root: string, key: string): string {
  const file = path.resolve(root, ...key.split("/"));
  if (!keySchema.safeParse(key).success || !file.startsWith(root + path.sep)) {
    throw new ExhibitError("usage.invalid", "This is not a key of this product.", {
      hint: "A key is <case>/<reference>/<name>, as exhibit writes them.",
    });
  }
  return file;
}

/**
 * The size of a finished file, or undefined where there is none. Links are never followed, neither of the
 * file nor of its folders, so that nothing outside the root can be reached.
 *
 * @throws ExhibitError `policy.unsupported` for a link or anything else that is not a file
 */
export async function fileSize(file: string): Promise<number | undefined> {
  try {
    const found = await lstat(file);
    if (!found.isFile()) throw notOurs(file);
    await refuseLinkedFolder(path.dirname(file));
    return found.size;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** @throws ExhibitError `policy.unsupported` where a folder on the way is a link */
export async function refuseLinkedFolder(folder: string): Promise<void> {
  if ((await realpath(folder)) !== folder) throw notOurs(folder);
}

export function notOurs(name: string): ExhibitError {
  return new ExhibitError("policy.unsupported", `${name} in the store is a link or not a file.`, {
    hint: "exhibit never follows links inside a store. Put the file itself there.",
  });
}
