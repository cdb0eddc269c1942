import { ExhibitError } from "../evidence/errors.ts";
import type { Deps, Failure } from "./deps.ts";

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
  readonly recordPath: string;
  readonly receiptPath: string;
}

export type DownloadDeps = Pick<Deps, "connect" | "destination" | "patience" | "onEvent">;

/**
 * Fetches an exhibit's files, verifies each against the signed record, and restores names, folders and times. Goes on
 * with a partial download. One failing file does not stop the others.
 *
 * @throws ExhibitError `not-found.exhibit`, `usage.ambiguous`, `integrity.signature`
 */
export async function download(
  deps: DownloadDeps,
  request: DownloadRequest,
  signal: AbortSignal,
): Promise<DownloadResult> {
  const connection = await deps.connect(request.store);
  await connection.close();
  signal.throwIfAborted();
  throw new ExhibitError("unavailable.program", "Not built yet.");
}
