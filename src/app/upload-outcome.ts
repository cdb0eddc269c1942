import type { SkippedEntry } from "../evidence/ports/source.ts";
import type {
  ExhibitPlan,
  Outcome,
  PlanRow,
  Said,
  UploadQueue,
} from "../evidence/ports/upload-queue.ts";
import type { Receipt } from "../evidence/receipt.ts";
import type { Failure, OutcomeRow } from "./deps.ts";
import type { RetainedObject } from "./retain-exhibit.ts";

export interface UploadedExhibit {
  readonly id: string;
  readonly case: string;
  readonly reference: string;
  readonly outcome: "uploaded" | "already-present";
  /** How many files it has. */
  readonly files: number;
  /** Its files as the record names them: original path, key and digest, in the record's order. */
  readonly contents: readonly {
    readonly path: string;
    readonly key: string;
    readonly sha256: string;
  }[];
  /** Bytes that went over the wire in this run, and bytes that were there already. */
  readonly bytesSent: number;
  readonly bytesSkipped: number;
  readonly receipt: Receipt;
  readonly receiptPath: string;
  /** How the store shows that it keeps each of its objects; absent where it was not asked to. */
  readonly retained?: readonly RetainedObject[];
  /** The row of a list that asked for it. */
  readonly row?: OutcomeRow;
}

/** A plan's row, if it has one, as it is told of what became of it. */
export function rowOf({ row, said }: ExhibitPlan): { readonly row?: OutcomeRow } {
  return row === undefined || said === undefined ? {} : { row: outcomeRow(row, said) };
}

export function outcomeRow(row: PlanRow, { case: caseRef = "", reference }: Said): OutcomeRow {
  return { ...row, case: caseRef, ...(reference === undefined ? {} : { reference }) };
}

/** What became of one of the things that were to be uploaded. Plain JSON. */
export type UploadOutcome =
  | ({ readonly type: "exhibit" } & UploadedExhibit)
  | ({ readonly type: "failed" } & Failure)
  | ({ readonly type: "skipped" } & SkippedEntry);

export type OnOutcome = (outcome: UploadOutcome) => void;

/** Outcomes of one kind, read from the disk each time they are gone through. */
export interface Outcomes<Kind> extends Iterable<Kind> {
  readonly count: number;
}

/** What became of a plan. */
export type PlanOutcome =
  | { readonly place: number; readonly plan: ExhibitPlan; readonly exhibit: UploadedExhibit }
  | { readonly place: number; readonly plan: ExhibitPlan; readonly error: unknown };

/** Reads the outcomes of one kind from a queue; `what` makes of each what the caller wants. */
export function outcomesIn<Kind>(
  queue: UploadQueue,
  state: Outcome["state"],
  what: (outcome: unknown) => Kind,
): Outcomes<Kind> {
  return {
    count: queue.counts()[state],
    *[Symbol.iterator]() {
      for (const outcome of queue.outcomes(state)) yield what(outcome);
    },
  };
}
