import { ExhibitError, familyOf } from "../evidence/errors.ts";
import type { SkippedEntry } from "../evidence/ports/source.ts";
import type { UploadQueue } from "../evidence/ports/upload-queue.ts";
import { openLine } from "../transfer/line.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import type { CheckedList } from "./csv/check-rows.ts";
import { requireReferences } from "./csv/require-references.ts";
import type { Deps, Failure } from "./deps.ts";
import { hashFirst } from "./hash-first.ts";
import { Planning } from "./planning.ts";
import { requireReachable } from "./reachable-proof.ts";
import { requireRetainable } from "./retain-exhibit.ts";
import { uploadExhibits } from "./upload-exhibits.ts";
import { uploadJob } from "./upload-job.ts";
import {
  outcomesIn,
  type OnOutcome,
  type Outcomes,
  type UploadedExhibit,
} from "./upload-outcome.ts";
import { uploadRequestSchema, type UploadRequest } from "./upload-request.ts";

export type { OnOutcome, UploadedExhibit, UploadRequest };

/**
 * What an upload did, in the order in which it was found. It is read from this machine's disk, and can be until the queues are
 * closed. Exit code: 0 when `failed` is empty; that of its code when nothing arrived and all failed alike; else 3.
 */
export interface UploadResult {
  readonly exhibits: Outcomes<UploadedExhibit>;
  readonly failed: Outcomes<Failure>;
  /** Links, FIFOs, sockets and devices: reported, not sent, no failure. */
  readonly skipped: Outcomes<SkippedEntry>;
}

/** What an upload asks of its caller, and tells it on the way. */
export interface UploadCaller {
  /** Called where the store cannot allot a reference without, before the answer is saved for `resume`. */
  readonly askInitials?: () => Promise<string>;
  /** Told what became of each exhibit, and of what was left out, as soon as it is known. */
  readonly onOutcome?: OnOutcome;
  /** Called once all is sealed and every receipt kept, before the command counts as finished. */
  readonly onSealed?: () => Promise<void>;
  /** Told of the list that is uploaded by, once all of it was found right. */
  readonly onList?: (list: CheckedList) => void;
}

export type UploadDeps = Pick<
  Deps,
  | "connect"
  | "source"
  | "journal"
  | "queues"
  | "receipts"
  | "clock"
  | "patience"
  | "outage"
  | "tool"
  | "onEvent"
>;

/**
 * Uploads files and folders as exhibits, each with its signed record and receipt. Safe to repeat: what is there is
 * found again, only what is missing is sent. One failing exhibit does not stop the others, a failing store does.
 *
 * @throws ExhibitError `usage.*` and `not-found.source` before anything is sent, where it is found out by then;
 * `integrity.proof-too-weak` when the store cannot reach the wanted proof; `policy.unsupported` when it cannot retain as asked; `auth.*` and `unavailable.*` when nothing
 * arrived; `conflict.locked` when the same upload runs already; the signal's reason when interrupted (the same command or
 * `resume` goes on)
 */
export async function upload(
  deps: UploadDeps,
  request: UploadRequest,
  signal: AbortSignal,
  caller: UploadCaller = {},
): Promise<UploadResult> {
  const { askInitials, onOutcome = () => undefined, onList = () => undefined } = caller;
  const given = checked(uploadRequestSchema, request, "The upload");
  const finish = (jobId: string, queue: UploadQueue): void => {
    deps.journal.finishJob(jobId);
    queue.discard();
  };
  const planning = await Planning.begin(deps, given, signal);
  try {
    return await connected(deps, given.store, async (connection) => {
      requireReachable(given.requireProof, connection);
      requireRetainable(given.retention, connection);
      const { list } = planning;
      if (list !== undefined) {
        requireReferences(list, given, connection);
        onList(list);
      }
      const isReferenced =
        list === undefined
          ? given.reference !== undefined
          : list.firstWithoutReference === undefined;
      const isNameless = !isReferenced && given.initials === undefined;
      const asked =
        isNameless && connection.register.needsInitials && askInitials !== undefined
          ? { ...given, initials: await askInitials() }
          : given;
      const { journal, queues, clock, onEvent } = deps;
      const job = uploadJob(asked, connection, clock.now());
      journal.claim(job.id);
      try {
        const queue = queues.open(job.id);
        planning.into({ queue, onOutcome, onEvent });
        journal.saveJob(job);
        const digests = asked.hashFirst === true ? queues.seen() : undefined;
        try {
          const fixed =
            digests === undefined
              ? undefined
              : await hashFirst(deps, planning, queue, digests, signal);
          await uploadExhibits(
            { deps, connection, jobId: job.id, request: asked, line: openLine(asked), fixed },
            { planning, queue, onOutcome },
            signal,
          );
        } catch (error) {
          // Nothing was meant after all: there is nothing to go on with.
          if (isUsage(error) && queue.counts().exhibits === 0) finish(job.id, queue);
          throw error;
        } finally {
          digests?.close();
        }
        if (queue.counts().failed === 0) {
          await caller.onSealed?.();
          finish(job.id, queue);
        }
        return resultOf(queue);
      } finally {
        journal.release(job.id);
      }
    });
  } finally {
    planning.stop();
  }
}

function isUsage(error: unknown): boolean {
  return error instanceof ExhibitError && familyOf(error.code) === "usage";
}

function resultOf(queue: UploadQueue): UploadResult {
  return {
    exhibits: outcomesIn(queue, "done", (outcome) => outcome as UploadedExhibit),
    failed: outcomesIn(queue, "failed", (outcome) => outcome as Failure),
    skipped: outcomesIn(queue, "skipped", (outcome) => outcome as SkippedEntry),
  };
}
