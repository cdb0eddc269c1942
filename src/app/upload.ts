import type { Proof } from "../evidence/proof.ts";
import type { Receipt } from "../evidence/receipt.ts";
import type { SkippedEntry } from "../evidence/ports/source.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { Deps, Failure } from "./deps.ts";

/** What a person asks to be uploaded: plain JSON, because the journal keeps it for `resume`. */
export interface UploadRequest {
  readonly store?: string;
  /** Files and folders, absolute. */
  readonly paths: readonly string[];
  readonly case: string;
  /** Wanted reference, for one exhibit only; left out, the store allots one under `initials`. */
  readonly reference?: string;
  readonly initials?: string;
  readonly title?: string;
  /** What the submitter's system calls the exhibit, for one exhibit only; by default its files' paths, sizes and times. */
  readonly sourceId?: string;
  /** All paths together make one exhibit; otherwise each file is one. */
  readonly oneExhibit: boolean;
  readonly producer?: string;
  readonly oic?: string;
  readonly source?: {
    readonly camera?: string;
    readonly recorder?: string;
    readonly system?: string;
  };
  /** RFC 3339 instants. */
  readonly recorded?: { readonly from?: string; readonly to?: string; readonly timeZone: string };
  /** Recorder minus true time. */
  readonly clockOffset?: { readonly seconds: number; readonly measuredBy: string };
  /** Ids of the exhibits that this one corrects. */
  readonly supersedes?: readonly string[];
  readonly requireProof: Proof;
  /** Parts in flight at once. */
  readonly concurrency: number;
  /** Wanted part size; a store may need larger ones. */
  readonly partBytes: number;
  /** Where the receipt goes, for one exhibit only; by default the state folder. Absolute. */
  readonly receiptFile?: string;
}

export interface UploadedExhibit {
  readonly id: string;
  readonly case: string;
  readonly reference: string;
  readonly outcome: "uploaded" | "already-present";
  /** How many files it has. */
  readonly files: number;
  /** Its files as the record names them: original path, key and digest, in the record's order. */
  readonly contents: readonly {
    readonly path: string;
    readonly key: string;
    readonly sha256: string;
  }[];
  /** Bytes that went over the wire in this run, and bytes that were there already. */
  readonly bytesSent: number;
  readonly bytesSkipped: number;
  readonly receipt: Receipt;
  readonly receiptPath: string;
}

/** Exit code: 0 when `failed` is empty; that of its code when nothing arrived and all failed alike; else 3. */
export interface UploadResult {
  readonly exhibits: readonly UploadedExhibit[];
  readonly failed: readonly Failure[];
  /** Links, FIFOs, unreadable folders and the like: reported, not sent, no failure. */
  readonly skipped: readonly SkippedEntry[];
}

export type UploadDeps = Pick<
  Deps,
  "connect" | "source" | "journal" | "receipts" | "clock" | "patience" | "tool" | "onEvent"
>;

/**
 * Uploads files and folders as exhibits, each with its signed record and receipt. Safe to repeat: what is there is
 * found again, only what is missing is sent. One failing exhibit does not stop the others.
 *
 * @throws ExhibitError `usage.*` before anything is sent; `auth.*`, `unavailable.*` when nothing arrived;
 * `conflict.locked` when the same upload runs already; the signal's reason when interrupted (resumable)
 */
export async function upload(
  deps: UploadDeps,
  request: UploadRequest,
  signal: AbortSignal,
): Promise<UploadResult> {
  const connection = await deps.connect(request.store);
  await connection.close();
  signal.throwIfAborted();
  throw new ExhibitError("unavailable.program", "Not built yet.");
}
