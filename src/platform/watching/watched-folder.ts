import { watch, type FSWatcher } from "node:fs";
import type { WatchedFolder } from "../../evidence/ports/watched-folder.ts";
import { Changes } from "./changes.ts";
import { FolderTree, type HeardFolder } from "./folder-tree.ts";
import { moveFile } from "./move-file.ts";
import { openForWriting } from "./open-for-writing.ts";
import { openTakenFiles } from "./taken-files.ts";

/** Watches a folder of this machine. Where the system tells of no changes (network shares), one has to look at it from time to time. */
export function watchFolder(
  folder: string,
  journal: { readonly file: string; readonly store: string },
  platform: NodeJS.Platform,
): WatchedFolder {
  const taken = openTakenFiles(journal.file, `${journal.store}\n${folder}`);
  const changes = new Changes();
  const heard =
    platform === "linux"
      ? new FolderTree(folder, changes.happened)
      : wholeTree(folder, changes.happened);
  let isQuiet = false;
  return {
    taken,
    beingWritten: (files) =>
      openForWriting(
        files.map(({ location }) => location),
        platform,
      ),
    async change(atMostMs, signal) {
      if (isQuiet || !heard.isHeard) await heard.cover(signal);
      isQuiet = !(await changes.next(atMostMs, signal));
      return heard.limit;
    },
    move: moveFile,
    close: () => {
      heard.close();
      taken.close();
    },
  };
}

/** Where the system itself tells of a folder with all below it. */
function wholeTree(folder: string, happened: () => void): HeardFolder {
  let watcher: FSWatcher | undefined;
  const close = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  return {
    limit: undefined,
    get isHeard() {
      return watcher !== undefined;
    },
    cover() {
      try {
        if (watcher === undefined) {
          watcher = watch(folder, { recursive: true }, happened).on("error", close);
          happened();
        }
      } catch {
        // It has gone, or nobody tells of its changes.
      }
      return Promise.resolve();
    },
    close,
  };
}
