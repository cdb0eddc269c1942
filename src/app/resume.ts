import { ExhibitError } from "../evidence/errors.ts";
import type { Deps, Failure } from "./deps.ts";
import { failureOf } from "./failure.ts";
import { discardSealed } from "./fetch.ts";
import { openJobs, openJobsNamed, type OpenJob } from "./open-jobs.ts";
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

export interface ResumeRequest {
  readonly store?: string;
  /** The id of a command or an upload, or an exhibit (`CASE:ABC/1`); left out, all that is unfinished. */
  readonly target?: string;
}

/**
 * Runs every unfinished upload of this machine (or those to one store, or the one that is named) again, oldest first; one
 * that fails does not stop the next.
 *
 * @throws ExhibitError `not-found.upload` when nothing unfinished fits `target`; the signal's reason when interrupted
 */
export async function resume(
  deps: UploadDeps & Pick<Deps, "fetcher">,
  { store, target }: ResumeRequest,
  signal: AbortSignal,
  onOutcome?: OnOutcome,
): Promise<ResumeResult> {
  const jobs: ResumedJob[] = [];
  const { journal } = deps;
  const open =
    target === undefined ? openJobs(journal, store) : openJobsNamed(journal, store, target);
  for (const { shown, request: asked } of open) {
    try {
      const result = await upload(deps, asked, signal, {
        ...(onOutcome === undefined ? {} : { onOutcome }),
        onSealed: async () => {
          for (const location of asked.paths) await deps.fetcher.markSealed(location);
        },
      });
      jobs.push({ ...shown, result });
      // Where its store's name means another store by now, what ran is another job.
      if (result.failed.count === 0) journal.finishJob(shown.id);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ExhibitError)) throw error;
      jobs.push({ ...shown, failure: failureOf(shown.paths.join(", "), error) });
    }
  }
  await discardSealed(deps);
  return { jobs };
}
