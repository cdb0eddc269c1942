/** Where a downloaded file stands before a byte of it is fetched. */
export interface DestinationState {
  /** Bytes of an earlier, unfinished download; undefined when there is none. */
  readonly partialBytes: number | undefined;
  /** Size of the finished file that lies there already; undefined when there is none. */
  readonly finishedBytes: number | undefined;
}

/** A file being written, visible under its name only once `finish` has returned. */
export interface DestinationFile {
  /** Reads what is there already, finished or partial, from its start. */
  existing(which: "finished" | "partial"): AsyncIterable<Uint8Array>;
  /** Writes behind what is there; `restart` throws away what is there first. */
  append(bytes: Uint8Array): Promise<void>;
  restart(): Promise<void>;
  /** Flushes, sets the time, gives the file its name. Never overwrites. @throws `conflict.exists` */
  finish(modifiedAt: Date): Promise<void>;
  close(): Promise<void>;
}

/** A folder that files are restored into; nothing is ever written outside it and nothing overwritten. */
export interface Destination {
  /**
   * The path (with `/`) under which this machine can keep `path`: the same, or with what is illegal here made visible
   * (`~3A` for a colon on Windows).
   *
   * @throws `usage.invalid` for a path that would leave the folder
   */
  nameFor(path: string): string;
  stat(folder: string, name: string): Promise<DestinationState>;
  /** Opens `name` (from `nameFor`) below `folder`, making folders on the way; links are not followed. */
  open(folder: string, name: string): Promise<DestinationFile>;
  /** Writes a small file whole. The same bytes again succeed. @throws `conflict.exists` when others lie there */
  write(folder: string, name: string, bytes: Uint8Array): Promise<string>;
}
