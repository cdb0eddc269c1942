import { ExhibitError } from "../evidence/errors.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { SkippedEntry } from "../evidence/ports/source.ts";
import { proves, type Proof } from "../evidence/proof.ts";
import { openLine } from "../transfer/line.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import type { Deps, Failure } from "./deps.ts";
import { planExhibits, type ExhibitPlan } from "./exhibit-plan.ts";
import { failureOf, stopsAll } from "./failure.ts";
import { uploadExhibit, type ExhibitUpload, type UploadedExhibit } from "./upload-exhibit.ts";
import { uploadJob } from "./upload-job.ts";
import { uploadRequestSchema, type UploadRequest } from "./upload-request.ts";

export type { UploadedExhibit, UploadRequest };

/** Exit code: 0 when `failed` is empty; that of its code when nothing arrived and all failed alike; else 3. */
export interface UploadResult {
  readonly exhibits: readonly UploadedExhibit[];
  readonly failed: readonly Failure[];
  /** Links, FIFOs, sockets and devices: reported, not sent, no failure. */
  readonly skipped: readonly SkippedEntry[];
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
 * `askInitials` is called where the store cannot allot a reference without, before the answer is saved for `resume`.
 *
 * @throws ExhibitError `usage.*` and `not-found.source` before anything is sent; `integrity.proof-too-weak` when the
 * store cannot reach the wanted proof; `auth.*` and `unavailable.*` when nothing arrived; `conflict.locked` when the
 * same upload runs already; the signal's reason when interrupted (the same command or `resume` goes on)
 */
export async function upload(
  deps: UploadDeps,
  request: UploadRequest,
  signal: AbortSignal,
  askInitials?: () => Promise<string>,
): Promise<UploadResult> {
  const given = checked(uploadRequestSchema, request, "The upload");
  const planned = await planExhibits(deps.source, given, signal);
  const { exhibits: plans, skipped } = planned;
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
      const done = await uploadAll(
        { deps, connection, jobId: job.id, request: asked, line: openLine(asked) },
        plans,
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

async function uploadAll(
  common: Omit<ExhibitUpload, "plan">,
  plans: readonly ExhibitPlan[],
  signal: AbortSignal,
): Promise<Omit<UploadResult, "skipped">> {
  const exhibits: UploadedExhibit[] = [];
  const failed: Failure[] = [];
  for (const [index, plan] of plans.entries()) {
    try {
      exhibits.push(await uploadExhibit({ ...common, plan }, signal));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ExhibitError)) throw error;
      if (stopsAll(error)) {
        if (exhibits.length + failed.length === 0) throw error;
        for (const { path } of plans.slice(index)) failed.push(failureOf(path, error));
        break;
      }
      failed.push(failureOf(plan.path, error));
      common.deps.onEvent({ type: "file-failed", path: plan.path, message: error.message });
    }
  }
  return { exhibits, failed };
}

function requireReachable(wanted: Proof, { name, store }: Connection): void {
  const { proof } = store.capabilities;
  if (proves(proof, wanted)) return;
  throw new ExhibitError(
    "integrity.proof-too-weak",
    `The store ${name} proves "${proof}", and "${wanted}" was asked for. Nothing was sent.`,
    { hint: "Use a store that proves more, such as an exhibit server.", facts: { proof, wanted } },
  );
}
