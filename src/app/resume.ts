import type { Failure } from "./deps.ts";
import { upload, type UploadDeps, type UploadRequest, type UploadResult } from "./upload.ts";

/** One unfinished upload command, run again. Exactly one of `result` and `failure` is there. */
export interface ResumedJob {
  readonly id: string;
  readonly store: string;
  readonly startedAt: string;
  readonly case: string;
  readonly paths: readonly string[];
  readonly result?: UploadResult;
  readonly failure?: Failure;
}

export interface ResumeResult {
  /** In the order in which they were begun; empty when nothing was unfinished. */
  readonly jobs: readonly ResumedJob[];
}

/** Runs every unfinished upload of this machine (or those to one store) again, oldest first; one that fails does not stop the next. */
export async function resume(
  deps: UploadDeps,
  request: { readonly store?: string },
  signal: AbortSignal,
): Promise<ResumeResult> {
  const jobs: ResumedJob[] = [];
  for (const job of deps.journal.openJobs()) {
    if (request.store !== undefined && request.store !== job.store) continue;
    const asked = job.request as UploadRequest;
    const about = { id: job.id, store: job.store, startedAt: job.startedAt };
    const result = await upload(deps, asked, signal);
    jobs.push({ ...about, case: asked.case, paths: asked.paths, result });
  }
  return { jobs };
}
