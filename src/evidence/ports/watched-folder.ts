import type { SourceEntry } from "./source.ts";

/** What became of a file that was taken from a watched folder. */
export interface TakenFile {
  /** Of the file when it was taken; another means that it was written again. */
  readonly version: string;
  readonly exhibit: string;
  readonly receiptPath: string;
}

/** Which files of a watched folder were taken, kept on this machine's disk. */
export interface TakenFiles {
  /** By the path below the folder. */
  find(path: string): TakenFile | undefined;
  /** Durable when it returns. @throws `unavailable.no-space`, `usage.invalid` */
  save(path: string, taken: TakenFile): void;
}

/** A folder that others write into, as this system lets one watch it. */
export interface WatchedFolder {
  readonly taken: TakenFiles;
  /** Those of the files that another program has open for writing, as far as this system tells. */
  beingWritten(files: readonly SourceEntry[]): Promise<ReadonlySet<string>>;
  /**
   * Waits until something in the folder, or below it, may have changed since it was last waited for, or so long. Gives back the name of
   * a limit of this system that leaves folders whose changes are not told.
   */
  change(atMostMs: number, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Moves a file, if it is still what it was, to a path below another folder, under a name that nothing has yet; gives back where it
   * lies then.
   *
   * @throws `integrity.source-changed`; `unavailable.source` where it cannot be moved
   */
  move(file: SourceEntry, to: { readonly folder: string; readonly path: string }): Promise<string>;
  close(): void;
}
