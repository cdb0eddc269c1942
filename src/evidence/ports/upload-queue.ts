import type { ExhibitRecord } from "../record.ts";
import type { Seen } from "./seen.ts";
import type { SourceEntry } from "./source.ts";

/** What was said of one exhibit alone; it counts before what was said of all that are uploaded with it. */
export type Said = Partial<
  Pick<
    ExhibitRecord,
    "case" | "reference" | "title" | "producer" | "oic" | "source" | "recorded" | "clockOffset"
  >
>;

/** The row of a list that asked for an exhibit. */
export interface PlanRow {
  /** As a spreadsheet counts: the line of column names is 1. */
  readonly number: number;
  /** The file as the row has it. */
  readonly file: string;
}

/** An exhibit that is to be: its files in order, and what the submitter's system calls it. */
export interface ExhibitPlan {
  /** For messages: the path of its file or folder, relative to the argument's parent. */
  readonly path: string;
  readonly files: readonly SourceEntry[];
  readonly sourceId: string;
  readonly totalBytes: number;
  readonly said?: Said;
  readonly row?: PlanRow;
}

/** A plan whose turn it is. */
export interface QueuedPlan {
  /** Its place in the queue. */
  readonly place: number;
  readonly plan: ExhibitPlan;
  /** What an earlier run of the same command had written down of it as done, where not the least of its files has changed since. */
  readonly before: unknown;
}

/** What became of something: `outcome` is plain JSON of the use case that settles it. */
export interface Outcome {
  readonly state: "done" | "failed" | "skipped";
  readonly outcome: unknown;
}

/** What became of a plan. */
export interface SettledPlan extends Outcome {
  readonly place: number;
  readonly state: "done" | "failed";
}

/** Of what this run has found. */
export interface QueueCounts {
  readonly exhibits: number;
  readonly files: number;
  readonly bytes: number;
  /** Settled, or noted. */
  readonly done: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * The exhibits of one upload command on this machine's disk, so that a million of them take no memory. Walking the source again
 * makes it anew; what an earlier run has done is remembered.
 */
export interface UploadQueue {
  /**
   * Adds what a walk found, in this order, behind what is there. What is there already counts once.
   *
   * @param mayRepeat - whether any of them may have been added before, or look like one that was: within one walk none does
   * @returns the plans that were refused, because something else of this run has the same source id
   */
  add(plans: readonly ExhibitPlan[], mayRepeat: boolean): readonly ExhibitPlan[];
  /** Writes down what became of something that is in no plan. */
  note(outcome: Outcome): void;
  /** The next plans that wait, `most` at most; each is handed out once. */
  take(most: number): readonly QueuedPlan[];
  /** Writes down what became of plans, all or none. */
  settle(plans: readonly SettledPlan[]): void;
  counts(): QueueCounts;
  /** The outcomes of one kind in the order of their places, those without a place behind them. */
  outcomes(state: Outcome["state"]): IterableIterator<unknown>;
  /** Removes it once it is closed: nothing of it will be needed again. */
  discard(): void;
  close(): void;
}

/** The queues of this machine, by the id of what they belong to. */
export interface UploadQueues {
  /** Opens a queue, or makes it. @throws `usage.invalid` where it cannot be kept; `unavailable.no-space`, then and while it is written */
  open(id: string): UploadQueue;
  /** Removes a queue that is not open. What is not there is not an error. */
  remove(id: string): void;
  /** Begins a list of what was met, to find what comes twice. @throws as `open` */
  seen(): Seen;
}
