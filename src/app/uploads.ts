import { ExhibitError } from "../evidence/errors.ts";
import type { Deps } from "./deps.ts";

export interface UploadsRequest {
  readonly store?: string;
}

/** An upload that the store keeps and that is not finished. */
export interface UnfinishedItem {
  readonly id: string;
  readonly case: string;
  readonly reference: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly receivedBytes: number;
  readonly startedAt: string;
  readonly expiresAt?: string;
  /** Where the file lies on this machine, when it was begun from here. */
  readonly location?: string;
}

/** An upload command of this machine that is not finished; `exhibit resume` goes on with it. */
export interface OpenJob {
  readonly id: string;
  readonly store: string;
  readonly startedAt: string;
  readonly case: string;
  readonly paths: readonly string[];
}

export interface UploadsResult {
  readonly uploads: readonly UnfinishedItem[];
  readonly jobs: readonly OpenJob[];
}

export interface AbortRequest {
  readonly store?: string;
  /** The id of an upload or of a job, or an exhibit (`CASE:ABC/1`): then all its unfinished uploads. */
  readonly target: string;
}

export interface AbortResult {
  readonly aborted: readonly UnfinishedItem[];
  readonly jobs: readonly OpenJob[];
}

type UploadsDeps = Pick<Deps, "connect" | "journal">;

/** The unfinished uploads that the store keeps for this identity, and this machine's unfinished commands. */
export async function listUploads(
  deps: UploadsDeps,
  request: UploadsRequest,
  signal: AbortSignal,
): Promise<UploadsResult> {
  const connection = await deps.connect(request.store);
  await connection.close();
  signal.throwIfAborted();
  throw new ExhibitError("unavailable.program", "Not built yet.");
}

/**
 * Forgets unfinished uploads at the store and on this machine. What has arrived whole is evidence and stays.
 *
 * @throws ExhibitError `not-found.upload` when nothing unfinished fits `target`; `conflict.locked` while it runs
 */
export async function abortUpload(
  deps: UploadsDeps,
  request: AbortRequest,
  signal: AbortSignal,
): Promise<AbortResult> {
  const connection = await deps.connect(request.store);
  await connection.close();
  signal.throwIfAborted();
  throw new ExhibitError("unavailable.program", "Not built yet.");
}
