import type { Upload } from "./store.ts";

/** What a person asked for, saved before the first byte, so that `resume` needs no arguments. */
export interface JournalJob {
  readonly id: string;
  readonly store: string;
  /** The upload request as the use case takes it, answers to prompts included. */
  readonly request: unknown;
  readonly startedAt: string;
}

/** How far one file has come. */
export interface JournalFile {
  readonly jobId: string;
  readonly location: string;
  readonly exhibitId: string;
  readonly key: string;
  readonly version: string;
  readonly upload: Upload | undefined;
  readonly state: "sending" | "stored";
}

/** How far this machine got. Records before acting, claims only what is durable; survives kill -9 and power loss. */
export interface Journal {
  saveJob(job: JournalJob): void;
  /** Unfinished jobs, oldest first. */
  openJobs(): JournalJob[];
  finishJob(id: string): void;
  saveFile(file: JournalFile): void;
  file(store: string, key: string): JournalFile | undefined;
  filesOf(jobId: string): JournalFile[];
  forgetFile(store: string, key: string): void;
  /** Claims a job for this process. @throws `conflict.locked` when another living process has it */
  claim(jobId: string): void;
  release(jobId: string): void;
}
