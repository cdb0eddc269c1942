import type { SkippedEntry } from "../evidence/ports/source.ts";
import { openLine } from "../transfer/line.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import type { Deps, Failure } from "./deps.ts";
import { planExhibits } from "./exhibit-plan.ts";
import { requireReachable } from "./reachable-proof.ts";
import type { UploadedExhibit } from "./upload-exhibit.ts";
import { uploadExhibits, type OnOutcome } from "./upload-exhibits.ts";
import { uploadJob } from "./upload-job.ts";
import { uploadRequestSchema, type UploadRequest } from "./upload-request.ts";

export type { OnOutcome, UploadedExhibit, UploadRequest };

/** Exit code: 0 when `failed` is empty; that of its code when nothing arrived and all failed alike; else 3. */
export interface UploadResult {
  readonly exhibits: readonly UploadedExhibit[];
  readonly failed: readonly Failure[];
  /** Links, FIFOs, sockets and devices: reported, not sent, no failure. */
  readonly skipped: readonly SkippedEntry[];
}

/** What an upload asks of its caller, and tells it on the way. */
export interface UploadCaller {
  /** Called where the store cannot allot a reference without, before the answer is saved for `resume`. */
  readonly askInitials?: () => Promise<string>;
  /** Told what became of each exhibit, and of what was left out, as soon as it is known. */
  readonly onOutcome?: OnOutcome;
}

export type UploadDeps = Pick<
  Deps,
  | "connect"
  | "source"
  | "journal"
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
 * @throws ExhibitError `usage.*` and `not-found.source` before anything is sent; `integrity.proof-too-weak` when the
 * store cannot reach the wanted proof; `auth.*` and `unavailable.*` when nothing arrived; `conflict.locked` when the
 * same upload runs already; the signal's reason when interrupted (the same command or `resume` goes on)
 */
export async function upload(
  deps: UploadDeps,
  request: UploadRequest,
  signal: AbortSignal,
  { askInitials, onOutcome = () => undefined }: UploadCaller = {},
): Promise<UploadResult> {
  const given = checked(uploadRequestSchema, request, "The upload");
  const planned = await planExhibits(deps.source, given, signal);
  const { exhibits: plans, skipped } = planned;
  for (const { path, reason } of skipped) onOutcome({ type: "skipped", path, reason });
  for (const failure of planned.failed) onOutcome({ type: "failed", ...failure });
  return connected(deps, given.store, async (connection) => {
    requireReachable(given.requireProof, connection);
    const isNameless = given.reference === undefined && given.initials === undefined;
    const asked =
      isNameless && connection.register.needsInitials && askInitials !== undefined
        ? { ...given, initials: await askInitials() }
        : given;
    const { journal, clock, onEvent } = deps;
    const job = uploadJob(asked, connection.name, clock.now());
    journal.claim(job.id);
    try {
      journal.saveJob(job);
      onEvent({
        type: "planned",
        files: plans.reduce((sum, plan) => sum + plan.files.length, 0),
        bytes: plans.reduce((sum, plan) => sum + plan.totalBytes, 0),
      });
      const done = await uploadExhibits(
        { deps, connection, jobId: job.id, request: asked, line: openLine(asked) },
        plans,
        onOutcome,
        signal,
      );
      const failed = [...planned.failed, ...done.failed];
      if (failed.length === 0) journal.finishJob(job.id);
      return { exhibits: done.exhibits, failed, skipped };
    } finally {
      journal.release(job.id);
    }
  });
}
