import type { Journal } from "../evidence/ports/journal.ts";
import type { Source, SourceEntry } from "../evidence/ports/source.ts";
import type { Store, Stored } from "../evidence/ports/store.ts";
import type { Proof } from "../evidence/proof.ts";
import type { FixedDigests } from "./fixed-digest.ts";
import type { Line } from "./line.ts";
import type { Persistence } from "./persistence.ts";

/** One file on its way to one key of one store. */
export interface FileTransfer extends Persistence {
  readonly source: Source;
  /** The file as it was listed; from then on it must not change. */
  readonly entry: SourceEntry;
  readonly store: Store;
  readonly key: string;
  readonly journal: Journal;
  /** A job that the journal knows. */
  readonly jobId: string;
  readonly exhibitId: string;
  /** With `read-back`, what the store does not prove so well by itself is read back. */
  readonly requireProof: Proof;
  /** Shared with the command's other transfers. */
  readonly line: Line;
  readonly fixed?: FixedDigests | undefined;
}

export interface Transferred extends Stored {
  /** Bytes acknowledged in this run, and bytes that the store held already. */
  readonly bytesSent: number;
  readonly bytesSkipped: number;
  /** The file's first bytes, for telling its media type. */
  readonly head: Uint8Array;
}
