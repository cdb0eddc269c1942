import { mkdir, open, type FileHandle } from "node:fs/promises";
import path from "node:path";
import { errnoOf } from "./failures.ts";
import { refuseLinkedFolder } from "./layout.ts";

/** Codes with which a platform says that it does not flush folders: nothing more can be done there. */
const noFolderFlush = new Set(["EINVAL", "EISDIR", "EPERM", "EACCES", "ENOTSUP", "EBADF"]);

/** Makes names that were just made, renamed or removed in a folder survive a power loss. */
export async function flushFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, "r");
    await handle.sync();
  } catch (error) {
    if (!noFolderFlush.has(errnoOf(error) ?? "")) throw error;
  } finally {
    await handle?.close();
  }
}

/**
 * Makes a folder and those above it down from `root`, which must be there, each flushed into its parent.
 *
 * @throws ExhibitError `policy.unsupported` where one of them is a link
 */
export async function makeFolder(root: string, folder: string): Promise<void> {
  let at = root;
  for (const segment of path.relative(root, folder).split(path.sep)) {
    const parent = at;
    at = path.join(at, segment);
    try {
      await mkdir(at);
      await flushFolder(parent);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      await refuseLinkedFolder(at);
    }
  }
}

/** Writes a new file and flushes it; refuses to write over one (`EEXIST`). */
export async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, "wx");
  try {
    await writeAt(handle, bytes, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes all of `bytes` at a position; one write may stop short. */
export async function writeAt(
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesWritten } = await handle.write(
      bytes,
      done,
      bytes.byteLength - done,
      position + done,
    );
    done += bytesWritten;
  }
}
