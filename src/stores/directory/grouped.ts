import { realpath } from "node:fs/promises";
import path from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import type { FlushTogether } from "../../evidence/ports/flush-together.ts";
import type { GroupedContent, WholeFile } from "../../evidence/ports/grouped-content.ts";
import type { Store, Stored } from "../../evidence/ports/store.ts";
import { randomId } from "../../evidence/random-id.ts";
import { makeFolder } from "./durable.ts";
import { folderFailure, inFolder } from "./failures.ts";
import { sameContent } from "./finished.ts";
import { temporaryOf, type GroupOrder, type Outcome } from "./group-files.ts";
import { GroupThread } from "./group-thread.ts";
import { keyPath, notOurs, uploadsFolder } from "./layout.ts";
import { changed } from "./parts.ts";
import { sweepLeftOvers } from "./unfinished.ts";

/**
 * The grouped writes of a directory store: all files are written aside and flushed together, then all get their names, and
 * these are flushed together. `store` is the store of the same folder.
 */
export async function openGroupedContent(
  folder: string,
  store: Store,
  flush: FlushTogether,
): Promise<GroupedContent> {
  const root = await inFolder(folder, () => realpath(folder));
  const thread = new GroupThread();
  return {
    putAll: (files, signal) =>
      inFolder(root, () => putAll(root, store, flush, thread, files, signal)),
    occupied: (folders, signal) =>
      inFolder(root, async () => {
        signal.throwIfAborted();
        const paths = folders.map((name) => path.join(root, ...name.split("/")));
        const found = await thread.run({ step: "occupied", folders: paths });
        return new Set(folders.filter((_, index) => found[index] === "taken"));
      }),
  };
}

async function putAll(
  root: string,
  store: Store,
  flush: FlushTogether,
  thread: GroupThread,
  files: readonly WholeFile[],
  signal: AbortSignal,
): Promise<readonly (Stored | ExhibitError)[]> {
  signal.throwIfAborted();
  const targets = files.map(({ key }) => targetOf(root, key));
  await makeFolder(root, uploadsFolder(root));
  await sweepLeftOvers(root);
  const folder = path.join(uploadsFolder(root), randomId(".put-group-"));
  try {
    const written = await thread.run({ step: "write", folder, ...joined(files) });
    const whole = targets.flatMap((target, index) =>
      typeof target === "string" && written[index] === "done" ? [{ index, target }] : [],
    );
    await flush(root, { files: whole.map(({ index }) => temporaryOf(folder, index)), folders: [] });
    signal.throwIfAborted();
    const named = await thread.run({ step: "publish", folder, root, files: whole });
    await flush(root, { files: [], folders: foldersOf(root, whole) });
    const outcomes = new Map(whole.map(({ index }, at) => [index, named[at] ?? "done"]));
    const answers: (Stored | ExhibitError)[] = [];
    for (const [index, file] of files.entries()) {
      const target = targets[index];
      answers.push(
        target instanceof ExhibitError
          ? target
          : await answerOf(root, store, file, outcomes.get(index) ?? "changed", signal),
      );
    }
    return answers;
  } finally {
    await thread.run({ step: "clear", folder, files: files.length });
  }
}

/** Where a key's bytes lie, or why it is none. */
function targetOf(root: string, key: string): string | ExhibitError {
  try {
    return keyPath(root, key);
  } catch (error) {
    if (error instanceof ExhibitError) return error;
    throw error;
  }
}

/** All bytes one behind the other, in memory of their own that can be handed to the thread. */
function joined(
  files: readonly WholeFile[],
): Pick<GroupOrder & { step: "write" }, "files" | "bytes"> {
  const total = files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  const all = new Uint8Array(new ArrayBuffer(total));
  let at = 0;
  for (const { bytes } of files) {
    all.set(bytes, at);
    at += bytes.byteLength;
  }
  return {
    files: files.map(({ bytes, sha256 }) => ({ length: bytes.byteLength, sha256 })),
    bytes: all,
  };
}

/** Every folder in which a name was made, or may have been: one that was found taken may not be durable yet. */
function foldersOf(root: string, files: readonly { readonly target: string }[]): string[] {
  const folders = new Set<string>();
  for (const { target } of files) {
    for (let at = path.dirname(target); at.startsWith(root); at = path.dirname(at)) {
      if (folders.has(at)) break;
      folders.add(at);
      if (at === root) break;
    }
  }
  return [...folders];
}

async function answerOf(
  root: string,
  store: Store,
  { key, bytes, sha256 }: WholeFile,
  outcome: Outcome,
  signal: AbortSignal,
): Promise<Stored | ExhibitError> {
  const wanted = { key, sizeBytes: bytes.byteLength, sha256 };
  try {
    switch (outcome) {
      case "done":
        return { ...wanted, proof: "read-back" };
      case "changed":
        return changed();
      case "linked-folder":
        return notOurs(path.dirname(keyPath(root, key)));
      case "taken":
        return await sameContent(root, wanted, signal);
      case "no-links":
        return await store.put(key, bytes, sha256, signal);
    }
  } catch (error) {
    const failure = folderFailure(root, error);
    if (failure instanceof ExhibitError) return failure;
    throw error;
  }
}
