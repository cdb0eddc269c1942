import type { Journal } from "../evidence/ports/journal.ts";
import { checked } from "./checked.ts";
import { uploadRequestSchema, type UploadRequest } from "./upload-request.ts";

/** An upload command of this machine that is not finished; `exhibit resume` goes on with it. */
export interface OpenJob {
  readonly id: string;
  readonly store: string;
  readonly startedAt: string;
  readonly case: string;
  readonly paths: readonly string[];
}

/** This machine's unfinished upload commands, to one store or to all, oldest first, with what was asked. */
export function openJobs(
  journal: Journal,
  store: string | undefined,
): { readonly shown: OpenJob; readonly request: UploadRequest }[] {
  return journal
    .openJobs()
    .filter((job) => store === undefined || job.store === store)
    .map((job) => {
      const request = checked(uploadRequestSchema, job.request, "A saved upload");
      const { id, startedAt } = job;
      const { case: caseRef, paths } = request;
      return { shown: { id, store: job.store, startedAt, case: caseRef, paths }, request };
    });
}
