import type { Stored, Upload } from "./store.ts";

/** What a person asked for, saved before the first byte, so that `resume` needs no arguments. */
export interface JournalJob {
  readonly id: string;
  /** The name of the configured store. */
  readonly store: string;
  /** The upload request as the use case takes it, answers to prompts included. */
  readonly request: unknown;
  readonly startedAt: string;
}

/** How far one file has come. */
export interface JournalFile {
  readonly jobId: string;
  /** The store's URL: a name may be given to another store tomorrow. */
  readonly store: string;
  readonly key: string;
  readonly exhibitId: string;
  /** Where the source finds it again. */
  readonly location: string;
  readonly upload: Upload | undefined;
  /** The store's answer, once it holds and has proved the whole file. */
  readonly stored: Stored | undefined;
}

/**
 * How far this machine got. Records before acting, claims only what is durable; survives kill -9 and power loss. Only what a power loss makes
 * void (claims), or can be asked of the store again (what it holds whole), may come to the disk with what is written next.
 */
export interface Journal {
  /** Saves a job; the same id again replaces its request and keeps when it started. */
  saveJob(job: JournalJob): void;
  /** Unfinished jobs, oldest first. */
  openJobs(): JournalJob[];
  /** Forgets a job and the files under it. */
  finishJob(id: string): void;
  saveFile(file: JournalFile): void;
  file(store: string, key: string): JournalFile | undefined;
  filesOf(jobId: string): JournalFile[];
  forgetFile(store: string, key: string): void;
  /**
   * Claims a job or an exhibit, by id, for this process. Claiming one's own again succeeds.
   *
   * @throws `conflict.locked` when another living process has it
   */
  claim(id: string): void;
  release(id: string): void;
}
