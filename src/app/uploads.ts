import { ExhibitError } from "../evidence/errors.ts";
import { parseKey } from "../evidence/key.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { Journal, JournalFile } from "../evidence/ports/journal.ts";
import type { UnfinishedUpload } from "../evidence/ports/store.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";
import { openJobs, type OpenJob } from "./open-jobs.ts";
import { namesUpload } from "./upload-target.ts";

export type { OpenJob };

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
  /** The store will forget it within two days, or before it can be finished as fast as it has come so far. */
  readonly isRunningOut: boolean;
  /** Where the file lies on this machine, when it was begun from here. */
  readonly location?: string;
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
  /** Commands of this machine that are over with it. */
  readonly jobs: readonly OpenJob[];
}

type UploadsDeps = Pick<Deps, "connect" | "journal" | "clock">;
type AbortDeps = UploadsDeps & Pick<Deps, "queues">;

/** The unfinished uploads that the store keeps for this identity, and this machine's unfinished commands to it. */
export async function listUploads(
  deps: UploadsDeps,
  request: UploadsRequest,
  signal: AbortSignal,
): Promise<UploadsResult> {
  const { journal } = deps;
  return connected(deps, request.store, async ({ name, store }) => ({
    uploads: (await store.uploads(signal)).map((upload) => itemOf(upload, deps, store.url)),
    jobs: shownJobs(journal, name),
  }));
}

/**
 * Forgets unfinished uploads at the store and on this machine. What has arrived whole is evidence and stays.
 *
 * @throws ExhibitError `not-found.upload` when nothing unfinished fits `target`; `conflict.locked` while it runs
 */
export async function abortUpload(
  deps: AbortDeps,
  request: AbortRequest,
  signal: AbortSignal,
): Promise<AbortResult> {
  const { journal } = deps;
  const { target } = request;
  const job = journal.openJobs().find(({ id }) => id === target);
  return connected(deps, request.store ?? job?.store, async (connection) => {
    const { name, store } = connection;
    const fits = job === undefined ? namesUpload(target) : partOf(job.id, journal, connection);
    const uploads = (await store.uploads(signal)).filter(fits);
    if (uploads.length === 0 && job === undefined) {
      throw new ExhibitError("not-found.upload", `Nothing unfinished at ${name} fits ${target}.`, {
        hint: "exhibit uploads list shows what is unfinished.",
      });
    }
    const before = shownJobs(journal, name);
    const aborted: UnfinishedItem[] = [];
    if (job !== undefined) journal.claim(job.id);
    try {
      for (const upload of uploads) {
        aborted.push(itemOf(upload, deps, store.url));
        await abortOne(upload, journal, connection, signal);
      }
      if (job !== undefined) journal.finishJob(job.id);
    } finally {
      if (job !== undefined) journal.release(job.id);
    }
    const left = new Set(shownJobs(journal, name).map(({ id }) => id));
    const over = before.filter(({ id }) => !left.has(id));
    for (const { id } of over) deps.queues.remove(id);
    return { aborted, jobs: over };
  });
}

/** A command that was about nothing else is over, so that `resume` does not begin it anew. */
async function abortOne(
  upload: UnfinishedUpload,
  journal: Journal,
  { store }: Connection,
  signal: AbortSignal,
): Promise<void> {
  const known = journal.file(store.url, upload.key);
  if (known !== undefined) journal.claim(known.exhibitId);
  try {
    await store.abort(upload, signal);
    if (known === undefined) return;
    journal.forgetFile(store.url, upload.key);
    if (isAllOf(known, journal)) journal.finishJob(known.jobId);
  } finally {
    if (known !== undefined) journal.release(known.exhibitId);
  }
}

/** Whether a file was all that its command was about. Of a folder, others may be waiting that were never begun. */
function isAllOf({ jobId, location }: JournalFile, journal: Journal): boolean {
  const job = openJobs(journal, undefined).find(({ shown }) => shown.id === jobId);
  if (job === undefined || journal.filesOf(jobId).length > 0) return false;
  const { oneExhibit, paths } = job.request;
  return oneExhibit || (paths.length === 1 && paths[0] === location);
}

function partOf(
  jobId: string,
  journal: Journal,
  { store }: Connection,
): (upload: UnfinishedUpload) => boolean {
  return (upload) => journal.file(store.url, upload.key)?.jobId === jobId;
}

function shownJobs(journal: Journal, store: string): OpenJob[] {
  return openJobs(journal, store).map(({ shown }) => shown);
}

function itemOf(
  upload: UnfinishedUpload,
  { journal, clock }: Pick<UploadsDeps, "journal" | "clock">,
  url: string,
): UnfinishedItem {
  const { id, key, sizeBytes, receivedBytes, startedAt, expiresAt } = upload;
  const parts = parseKey(key);
  const location = journal.file(url, key)?.location;
  return {
    id,
    case: parts?.case ?? "",
    reference: parts?.reference ?? "",
    key,
    sizeBytes,
    receivedBytes,
    startedAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    isRunningOut: isRunningOut(upload, clock.now().getTime()),
    ...(location === undefined ? {} : { location }),
  };
}

const shortMs = 2 * 86_400_000;

function isRunningOut(
  { startedAt, expiresAt, sizeBytes, receivedBytes }: UnfinishedUpload,
  nowMs: number,
): boolean {
  if (expiresAt === undefined) return false;
  const leftMs = Date.parse(expiresAt) - nowMs;
  const msPerByte = (nowMs - Date.parse(startedAt)) / Math.max(receivedBytes, 1);
  return leftMs < Math.max(shortMs, (sizeBytes - receivedBytes) * msPerByte);
}
