import { readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { randomId } from "../evidence/random-id.ts";
import type { UploadQueues } from "../evidence/ports/upload-queue.ts";
import { seenFile } from "./seen-file.ts";
import { makeStateFolder } from "./state-folder.ts";
import { openQueueDatabase, type QueueDatabase } from "./upload-queue-database.ts";
import { uploadQueue } from "./upload-queue.ts";

/** A queue that nobody wrote into for so long belongs to a run that was killed and never gone on with. */
const forgottenMs = 30 * 86_400_000;

/** The queues of this machine, in a folder of their own, and a way to close what is still open. */
export interface FolderOfQueues extends UploadQueues {
  close(): void;
}

/** Keeps queues as files, `<folder>/<id>.sqlite`. A damaged one is made anew: it holds nothing that is not found again. */
export function uploadQueues(folder: string): FolderOfQueues {
  const open = new Set<{ close(): void }>();
  const fileOf = (id: string): string => path.join(folder, `${id}.sqlite`);
  return {
    open: (id) => {
      makeStateFolder(folder);
      removeForgotten(folder);
      const file = fileOf(id);
      const queue = uploadQueue(openOrAnew(file), (isNeeded) => {
        open.delete(queue);
        if (!isNeeded) removeOrLeave(file);
      });
      open.add(queue);
      return queue;
    },
    remove: (id) => {
      remove(fileOf(id));
    },
    seen: () => {
      makeStateFolder(folder);
      const file = fileOf(randomId("seen-"));
      const seen = seenFile(file, () => {
        open.delete(seen);
        remove(file);
      });
      open.add(seen);
      return seen;
    },
    close: () => {
      for (const queue of open) queue.close();
    },
  };
}

function openOrAnew(file: string): QueueDatabase {
  try {
    return openQueueDatabase(file);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code !== "string" || !/^SQLITE_(?:CORRUPT|NOTADB)/.test(code)) throw error;
    remove(file);
    return openQueueDatabase(file);
  }
}

function remove(file: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
}

/** What cannot be removed now may be in use, by another command or, on Windows, by what this one has not let go of: another time will do. */
function removeOrLeave(file: string): void {
  try {
    remove(file);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["EBUSY", "EPERM", "EACCES"].includes(code)) throw error;
  }
}

function removeForgotten(folder: string): void {
  const files = readdirSync(folder).filter((name) => name.endsWith(".sqlite"));
  for (const name of files) {
    const file = path.join(folder, name);
    const writtenAt = Math.max(
      ...[file, `${file}-wal`].map(
        (one) => statSync(one, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity,
      ),
    );
    if (Date.now() - writtenAt <= forgottenMs) continue;
    removeOrLeave(file);
  }
}
