/** A file's name as a record keeps it. */
export interface RecordedName {
  /** Relative, with `/` between folders. */
  readonly path: string;
  /** Its raw bytes in hex where they are not UTF-8. */
  readonly pathBytes: string | undefined;
}

/** How much of a file lies there already. */
export interface DestinationState {
  /** The whole file under its name; undefined when there is none. */
  readonly finishedBytes: number | undefined;
  /** What an earlier, unfinished download left; undefined when there is none. */
  readonly partialBytes: number | undefined;
}

/** A partial file open for writing; it gets its name only when it is finished. */
export interface DestinationWriter {
  /** Writes behind what is there. @throws `unavailable.no-space` */
  append(bytes: Uint8Array): Promise<void>;
  /** Flushes, sets the time, gives the file its name, all at once. Never overwrites. @throws `conflict.exists` */
  finish(modifiedAt: Date): Promise<void>;
  /** What was not finished stays, for the next time. */
  close(): Promise<void>;
}

/** A place for one file. */
export interface DestinationFile {
  /**
   * Its path below the folder with `/`: the recorded one, or with what this machine cannot keep made visible
   * (`~3A` for a colon on Windows).
   */
  readonly name: string;
  state(): Promise<DestinationState>;
  /** What is there already, from its start. */
  read(which: "finished" | "partial"): AsyncIterable<Uint8Array>;
  /**
   * Opens the partial file, cut to `keepBytes`, for this writer alone until it is closed; makes folders on the way,
   * follows no link.
   *
   * @throws `conflict.locked` while another has it open
   */
  write(keepBytes: number): Promise<DestinationWriter>;
}

/** Folders that files are restored into. Nothing is ever written outside them, and nothing overwritten. */
export interface Destination {
  /** @throws `policy.unsupported` for a name that would leave the folder; `unavailable.source` where it cannot be written */
  place(folder: string, name: RecordedName): DestinationFile;
}
