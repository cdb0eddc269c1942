import { watch, type FSWatcher } from "node:fs";
import type { WatchedFolder } from "../../evidence/ports/watched-folder.ts";
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
  let watcher: FSWatcher | undefined;
  let tell: () => void = () => undefined;
  const stop = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  const begin = (): void => {
    try {
      // On Linux only the folder itself: its subfolders are seen at the next look.
      watcher ??= watch(folder, { recursive: platform !== "linux" }, () => {
        tell();
      }).on("error", stop);
    } catch {
      // It has gone, or nobody tells of its changes.
      watcher = undefined;
    }
  };
  return {
    taken,
    beingWritten: (files) =>
      openForWriting(
        files.map(({ location }) => location),
        platform,
      ),
    change: (atMostMs, signal) =>
      new Promise((resolve) => {
        begin();
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          tell = () => undefined;
          resolve();
        };
        const timer = setTimeout(done, atMostMs);
        signal.addEventListener("abort", done);
        if (signal.aborted) done();
        tell = done;
      }),
    move: moveFile,
    close: () => {
      stop();
      taken.close();
    },
  };
}
