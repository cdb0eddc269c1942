import { access } from "node:fs/promises";
import path from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Stored } from "../../evidence/ports/store.ts";
import { hashFile } from "./following-hash.ts";
import { fileSize, keyPath } from "./layout.ts";
import { holdersOf } from "./placeholder.ts";

/** The size of a finished key, or undefined where there is none yet. Fails where the whole folder is gone. */
export async function finishedSize(root: string, key: string): Promise<number | undefined> {
  const size = await fileSize(keyPath(root, key));
  // A disk that was taken away must not look like one that holds nothing.
  if (size === undefined) await access(`${root}${path.sep}.`);
  if (size === 0 && (await holdersOf(root, key)).length > 0) return undefined;
  return size;
}

/**
 * What lies under a key that was found taken, if it is the very same content.
 *
 * @throws ExhibitError `conflict.exists` when it is other content; `unavailable.busy` while another process writes it
 */
export async function sameContent(
  root: string,
  wanted: Omit<Stored, "proof">,
  signal: AbortSignal,
): Promise<Stored> {
  const size = await finishedSize(root, wanted.key);
  if (size === undefined) {
    throw new ExhibitError("unavailable.busy", "Another process is writing this key.", {
      hint: "Try again in a moment.",
    });
  }
  const same =
    size === wanted.sizeBytes &&
    (await hashFile(keyPath(root, wanted.key), size, signal)) === wanted.sha256;
  if (!same) throw taken(wanted.key);
  return { ...wanted, proof: "read-back" };
}

export function taken(key: string): ExhibitError {
  return new ExhibitError("conflict.exists", `The store already holds ${key}.`, {
    hint: "Nothing was overwritten. If the content should be another, use another reference.",
  });
}
