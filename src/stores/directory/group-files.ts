import {
  closeSync,
  fchmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  rmSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { sha256Of } from "../../evidence/sha256.ts";
import { noHardLinks } from "../../evidence/no-hard-links.ts";

/** What is done with a group of files, in this order; `clear` in any case. */
export type GroupOrder =
  | {
      readonly step: "write";
      readonly folder: string;
      /** One behind the other in `bytes`. */
      readonly files: readonly { readonly length: number; readonly sha256: string }[];
      readonly bytes: Uint8Array;
    }
  | {
      readonly step: "publish";
      readonly folder: string;
      readonly root: string;
      /** Which of the files go where. */
      readonly files: readonly { readonly index: number; readonly target: string }[];
    }
  | { readonly step: "clear"; readonly folder: string; readonly files: number }
  | { readonly step: "occupied"; readonly folders: readonly string[] };

/** Of each file what became of it: `done`, or why not; a link in the place of a folder is never followed. */
export type Outcome = "done" | "changed" | "taken" | "no-links" | "linked-folder";

/** Where the file with this place in its group is written first. */
export function temporaryOf(folder: string, index: number): string {
  return path.join(folder, String(index));
}

/** Does one step by synchronous calls, which cost a quarter of the others: for a thread that nothing else waits for. */
export function doStep(order: GroupOrder): Outcome[] {
  switch (order.step) {
    case "write":
      return write(order);
    case "publish":
      return publish(order);
    case "clear":
      clear(order);
      return [];
    case "occupied":
      return order.folders.map((folder) => (isOccupied(folder) ? "taken" : "done"));
  }
}

/** The mode of everything that is finished. */
const readOnly = 0o440;

/** Writes all files aside and reads each back: `changed` where that is not what its digest says. */
function write({ folder, files, bytes }: GroupOrder & { step: "write" }): Outcome[] {
  mkdirSync(folder);
  const largest = Math.max(0, ...files.map(({ length }) => length));
  const found = Buffer.allocUnsafe(largest);
  let at = 0;
  return files.map(({ length, sha256 }, index) => {
    const file = openSync(temporaryOf(folder, index), "wx+");
    try {
      fchmodSync(file, readOnly);
      for (let done = 0; done < length;) {
        done += writeSync(file, bytes, at + done, length - done, done);
      }
      at += length;
      let read = 0;
      for (let more = -1; read < length && more !== 0; read += more) {
        more = readSync(file, found, read, length - read, read);
      }
      return sha256Of(found.subarray(0, read)) === sha256 ? "done" : "changed";
    } finally {
      closeSync(file);
    }
  });
}

/** Gives each file its name, never over another. */
function publish({ folder, root, files }: GroupOrder & { step: "publish" }): Outcome[] {
  const folders = new Map<string, boolean>();
  return files.map(({ index, target }) => {
    if (!isOurFolder(root, path.dirname(target), folders)) return "linked-folder";
    try {
      linkSync(temporaryOf(folder, index), target);
    } catch (error) {
      const code = codeOf(error);
      if (code === "EEXIST") return "taken";
      if (noHardLinks.has(code)) return "no-links";
      throw error;
    }
    return "done";
  });
}

/** Makes a folder and those above it where they are not there; false where one of them is a link. */
function isOurFolder(root: string, folder: string, known: Map<string, boolean>): boolean {
  if (folder === root) return true;
  const before = known.get(folder);
  if (before !== undefined) return before;
  let isOurs = isOurFolder(root, path.dirname(folder), known);
  if (isOurs) {
    try {
      mkdirSync(folder);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      // Those above it were looked at before.
      isOurs = lstatSync(folder).isDirectory();
    }
  }
  known.set(folder, isOurs);
  return isOurs;
}

/** By their names, which are known: to look for them costs as much as to remove them. */
function clear({ folder, files }: GroupOrder & { step: "clear" }): void {
  try {
    for (let index = 0; index < files; index += 1) unlinkSync(temporaryOf(folder, index));
    rmdirSync(folder);
  } catch {
    rmSync(folder, { recursive: true, force: true });
  }
}

function isOccupied(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  // What is no folder is something, too.
  return found !== undefined && !(found.isDirectory() && readdirSync(folder).length === 0);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "";
}
