import { ExhibitError } from "../evidence/errors.ts";
import type { Failure } from "./deps.ts";
import { failureOf } from "./failure.ts";
import { openJobs, type OpenJob } from "./open-jobs.ts";
import type { OnOutcome } from "./upload-outcome.ts";
import { upload, type UploadDeps, type UploadResult } from "./upload.ts";

/** One unfinished upload command, run again. Exactly one of `result` and `failure` is there. */
export interface ResumedJob extends OpenJob {
  readonly result?: UploadResult;
  readonly failure?: Failure;
}

export interface ResumeResult {
  /** In the order in which they were begun; empty when nothing was unfinished. */
  readonly jobs: readonly ResumedJob[];
}

/**
 * Runs every unfinished upload of this machine (or those to one store) again, oldest first; one that fails does not
 * stop the next.
 *
 * @throws the signal's reason when interrupted
 */
export async function resume(
  deps: UploadDeps,
  request: { readonly store?: string },
  signal: AbortSignal,
  onOutcome?: OnOutcome,
): Promise<ResumeResult> {
  const jobs: ResumedJob[] = [];
  for (const { shown, request: asked } of openJobs(deps.journal, request.store)) {
    try {
      jobs.push({
        ...shown,
        result: await upload(deps, asked, signal, onOutcome === undefined ? {} : { onOutcome }),
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ExhibitError)) throw error;
      jobs.push({ ...shown, failure: failureOf(shown.paths.join(", "), error) });
    }
  }
  return { jobs };
}
