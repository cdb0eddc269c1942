import type { SourceEntry } from "./source.ts";

/** A file that waits for its turn: an exhibit that is to be. */
export interface WaitingFile {
  readonly entry: SourceEntry;
  readonly sourceId: string;
}

export interface QueuedFile extends WaitingFile {
  /** Its place in the queue, from 1. */
  readonly place: number;
}

/** What became of a file: `outcome` is plain JSON of the use case that settles it. */
export interface SettledFile {
  readonly place: number;
  readonly state: "done" | "failed";
  readonly outcome: unknown;
}

export interface QueueCounts {
  readonly files: number;
  readonly bytes: number;
  /** Not yet settled. */
  readonly waiting: number;
  readonly done: number;
  readonly failed: number;
}

/**
 * The files of one upload command on this machine's disk, so that a million of them take no memory. A cache: walking the source
 * again makes it anew; what was done stays done for the same file as long as the queue is there.
 */
export interface UploadQueue {
  /**
   * Adds what a walk found, in this order. A location that is there already keeps its place, and what was done is done where the file's
   * version is the same; otherwise it waits again. What failed before waits again.
   *
   * @returns those that were refused because another file has the same source id
   */
  add(files: readonly WaitingFile[]): readonly WaitingFile[];
  /** The next files that wait, at most `most`; each is handed out once until the queue is opened again. */
  take(most: number): readonly QueuedFile[];
  /** Writes down what became of files, all or none. */
  settle(files: readonly SettledFile[]): void;
  counts(): QueueCounts;
  /** What became of each settled file, in the order of their places. */
  settled(): Iterable<SettledFile>;
  close(): void;
}

/** The queues of this machine, by the id of a job. */
export interface UploadQueues {
  open(jobId: string): UploadQueue;
  /** Removes a queue that is closed. What is not there is not an error. */
  remove(jobId: string): void;
}
