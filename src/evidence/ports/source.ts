import type { ExhibitError } from "../errors.ts";
import type { Fetched } from "../fetched.ts";
import type { Origin } from "../record.ts";

/** A file at its source, as it was when it was opened or listed. */
export interface SourceStat {
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  /** Changes with any write or rename (ctime and inode on a file system); equal text, same file unchanged. */
  readonly version: string;
}

export interface SourceEntry extends SourceStat {
  /** Where the source finds it again. */
  readonly location: string;
  /** Original relative path with `/` between folders, as the record keeps it. */
  readonly path: string;
  /** Raw bytes of `path` in hex where they are not UTF-8. */
  readonly pathBytes: string | undefined;
  /** Where it was kept, for what comes from another store. */
  readonly origin?: Origin;
  /** Where it was brought in from by a link, and the SHA-256 that it had on arrival. */
  readonly arrived?: { readonly sha256: string; readonly fetched: Fetched };
}

/** Something the source holds that is no evidence by its kind: a link, a FIFO, a socket, a device. */
export interface SkippedEntry {
  readonly path: string;
  readonly reason: string;
}

/** Something that may be evidence and that the source could not get at. */
export interface UnlistedEntry {
  readonly path: string;
  /** `unavailable.source`, or `not-found.source` when it vanished meanwhile. */
  readonly error: ExhibitError;
}

/** Who is told of what a walk leaves out. */
export interface WalkWatcher {
  skipped(entry: SkippedEntry): void;
  unlisted(entry: UnlistedEntry): void;
}

/** An open file; reads are by position, into the caller's buffer. */
export interface SourceFile {
  readonly stat: SourceStat;
  /** Fills `buffer` from `offset` as far as the file goes; returns bytes read. @throws `unavailable.source` */
  read(buffer: Uint8Array, offset: number): Promise<number>;
  /** What the file is now, by descriptor and by name. @throws `integrity.source-changed` when it was replaced or has vanished */
  statAgain(): Promise<SourceStat>;
  close(): Promise<void>;
}

/** Where files come from. Read-only, always. */
export interface Source {
  /**
   * Walks a file or folder, in name order; a folder too large for that in batches of names, each in order. Links are not followed.
   *
   * @throws `not-found.source`, `unavailable.source`
   */
  list(location: string, watcher: WalkWatcher): AsyncIterable<SourceEntry>;
  /** Opens for reading without ever waiting for a writer. @throws `not-found.source`, `unavailable.source` */
  open(location: string): Promise<SourceFile>;
}
