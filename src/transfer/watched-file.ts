import { ExhibitError } from "../evidence/errors.ts";
import type { Source, SourceEntry, SourceFile } from "../evidence/ports/source.ts";

/** Enough to tell the common media types apart. */
const headBytes = 64;

/** An open source file that must stay what it was when it was listed; every read finds out whether it did. */
export interface WatchedFile {
  readonly sizeBytes: number;
  /** The file's first bytes, at most 64; empty until they were read. */
  head(): Uint8Array;
  /**
   * Fills all of `bytes` from `offset`, then looks at the file again.
   *
   * @throws ExhibitError `integrity.source-changed`, `unavailable.source`
   */
  fill(bytes: Uint8Array, offset: number): Promise<void>;
  /** Looks at the file once more. @throws ExhibitError `integrity.source-changed` */
  confirm(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a listed file. @throws ExhibitError `integrity.source-changed`, `not-found.source`, `unavailable.source` */
export async function openWatched(source: Source, entry: SourceEntry): Promise<WatchedFile> {
  const file = await source.open(entry.location);
  if (file.stat.version !== entry.version) {
    await file.close();
    throw changed(entry, "has changed since it was listed");
  }
  return watch(file, entry);
}

function watch(file: SourceFile, entry: SourceEntry): WatchedFile {
  const confirm = async (): Promise<void> => {
    const now = await file.statAgain();
    if (now.version !== entry.version) throw changed(entry, "has changed while it was read");
  };
  let head = new Uint8Array();
  return {
    sizeBytes: entry.sizeBytes,
    head: () => head,
    fill: async (bytes, offset) => {
      const filled = await file.read(bytes, offset);
      if (filled !== bytes.length) throw changed(entry, "has become shorter while it was read");
      await confirm();
      if (offset === 0) head = Uint8Array.from(bytes.subarray(0, headBytes));
    },
    confirm,
    close: () => file.close(),
  };
}

function changed(entry: SourceEntry, what: string): ExhibitError {
  return new ExhibitError("integrity.source-changed", `${entry.path} ${what}.`, {
    hint: "Wait until nothing writes to it any more (a recorder may still be exporting), then run the same command again.",
    facts: { listedBytes: entry.sizeBytes },
  });
}
