import { ExhibitError } from "../evidence/errors.ts";
import type { Journal } from "../evidence/ports/journal.ts";
import { checked } from "./checked.ts";
import { uploadRequestSchema, type UploadRequest } from "./upload-request.ts";
import { namesUpload } from "./upload-target.ts";

/** An upload command of this machine that is not finished; `exhibit resume` goes on with it. */
export interface OpenJob {
  readonly id: string;
  readonly store: string;
  readonly startedAt: string;
  /** Left out where a list names several. */
  readonly case?: string;
  readonly paths: readonly string[];
}

/** One of them, with what was asked. */
interface AskedJob {
  readonly shown: OpenJob;
  readonly request: UploadRequest;
}

/** This machine's unfinished upload commands, to one store or to all, oldest first, with what was asked. */
export function openJobs(journal: Journal, store: string | undefined): AskedJob[] {
  return journal
    .openJobs()
    .filter((job) => store === undefined || job.store === store)
    .map((job) => {
      const request = checked(uploadRequestSchema, job.request, "A saved upload");
      const { id, startedAt } = job;
      const { case: caseRef, paths } = request;
      const ofOneCase = caseRef === undefined ? {} : { case: caseRef };
      return { shown: { id, store: job.store, startedAt, ...ofOneCase, paths }, request };
    });
}

/**
 * The unfinished commands that are meant by their own id, or by an upload's id or an exhibit
 * (`CASE:ABC/1`) of theirs. Asks no store.
 *
 * @throws ExhibitError `not-found.upload` when there is none on this machine
 */
export function openJobsNamed(
  journal: Journal,
  store: string | undefined,
  target: string,
): AskedJob[] {
  const isMeant = namesUpload(target);
  const named = openJobs(journal, store).filter(
    ({ shown }) =>
      shown.id === target ||
      journal.filesOf(shown.id).some(({ key, upload }) => isMeant({ id: upload?.id, key })),
  );
  if (named.length > 0) return named;
  throw new ExhibitError(
    "not-found.upload",
    `Nothing that was broken off on this computer fits ${target}.`,
    {
      hint: "exhibit uploads list shows what is unfinished. What was begun on another computer goes on there, or with the same upload command here.",
    },
  );
}
