import { createHash } from "node:crypto";
import { ExhibitError } from "../evidence/errors.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { DestinationFile } from "../evidence/ports/destination.ts";
import type { RecordFile } from "../evidence/record.ts";
import { referenceSegment } from "../evidence/reference.ts";
import { connected } from "./connected.ts";
import type { Deps, Failure } from "./deps.ts";
import { failureOf, stopsAll } from "./failure.ts";
import { findExhibit } from "./find-exhibit.ts";
import { restoreFile } from "./restore-file.ts";

export interface DownloadRequest {
  readonly store?: string;
  readonly exhibit: string;
  /** The folder that files are restored into; made when it is not there. Absolute. */
  readonly to: string;
}

export interface DownloadedFile {
  /** Its original path as the record keeps it. */
  readonly path: string;
  /** Where it lies below the folder; differs from `path` where this machine cannot keep that name. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly outcome: "downloaded" | "present";
}

export interface DownloadResult {
  readonly id: string;
  readonly case: string;
  readonly reference: string;
  readonly folder: string;
  readonly files: readonly DownloadedFile[];
  readonly failed: readonly Failure[];
  /** Below the folder: `ABC_1.record.json` and `ABC_1.receipt.json`. */
  readonly recordPath: string;
  readonly receiptPath: string;
}

export type DownloadDeps = Pick<
  Deps,
  "connect" | "destination" | "patience" | "outage" | "onEvent"
>;

/**
 * Fetches an exhibit's files, verifies each against the signed record, and restores names, folders and times. Goes on
 * with a partial download. One failing file does not stop the others.
 *
 * @throws ExhibitError `not-found.exhibit`, `usage.ambiguous`, `integrity.signature`, `unavailable.store`;
 * `conflict.locked` while another download writes the same files; the signal's reason when interrupted (the same command goes on)
 */
export async function download(
  deps: DownloadDeps,
  request: DownloadRequest,
  signal: AbortSignal,
): Promise<DownloadResult> {
  return connected(deps, request.store, async (connection) => {
    const entry = await findExhibit(connection.register, request.exhibit, signal);
    const sealed = await connection.register.read(entry, signal);
    const { id, case: caseRef, reference, record } = sealed;
    const { onEvent } = deps;
    const bytes = record.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    onEvent({ type: "planned", files: record.files.length, bytes, isComplete: true });
    const fetched = await fetchAll(deps, connection, record.files, request.to, signal);
    const beside = (kind: string): DestinationFile =>
      deps.destination.place(request.to, {
        path: `${referenceSegment(reference)}.${kind}.json`,
        pathBytes: undefined,
      });
    const recordPath = await keepDocument(beside("record"), sealed.sealedRecord);
    const receiptPath = await keepDocument(beside("receipt"), sealed.sealedReceipt);
    const about = { id, case: caseRef, reference, folder: request.to };
    return { ...about, ...fetched, recordPath, receiptPath };
  });
}

async function fetchAll(
  deps: DownloadDeps,
  { store }: Connection,
  recorded: readonly RecordFile[],
  folder: string,
  signal: AbortSignal,
): Promise<Pick<DownloadResult, "files" | "failed">> {
  const { patience, outage, onEvent } = deps;
  const files: DownloadedFile[] = [];
  const failed: Failure[] = [];
  for (const file of recorded) {
    const { path, pathBytes, sizeBytes } = file;
    try {
      const place = deps.destination.place(folder, { path, pathBytes });
      const restored = await restoreFile({ store, file, place, patience, outage, onEvent }, signal);
      files.push({ path, name: place.name, sizeBytes, ...restored });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ExhibitError) || stopsAll(error)) throw error;
      // Going on to the next file would only get in the way of the other download there.
      if (error.code === "conflict.locked") throw error;
      failed.push(failureOf(path, error));
      onEvent({ type: "file-failed", path, message: error.message });
    }
  }
  return { files, failed };
}

/** Writes a document beside the files, unless these very bytes lie there. */
async function keepDocument(place: DestinationFile, document: unknown): Promise<string> {
  const bytes = Buffer.from(`${JSON.stringify(document)}\n`);
  const { finishedBytes } = await place.state();
  if (finishedBytes !== undefined) {
    const there = createHash("sha256");
    for await (const some of place.read("finished")) there.update(some);
    if (there.digest("hex") === createHash("sha256").update(bytes).digest("hex")) return place.name;
    throw new ExhibitError("conflict.exists", `There is another ${place.name} in that folder.`, {
      hint: "Nothing was overwritten. Download into another folder.",
    });
  }
  const writer = await place.write(0);
  try {
    await writer.append(bytes);
    await writer.finish(new Date());
  } finally {
    await writer.close();
  }
  return place.name;
}
