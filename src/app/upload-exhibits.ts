import { ExhibitError } from "../evidence/errors.ts";
import type { Failure } from "./deps.ts";
import type { ExhibitPlan } from "./exhibit-plan.ts";
import { failureOf, stopsAll } from "./failure.ts";
import {
  reserveExhibit,
  uploadReserved,
  type ExhibitUpload,
  type UploadedExhibit,
} from "./upload-exhibit.ts";

/** What became of one of the things that were to be uploaded. Plain JSON. */
export type UploadOutcome =
  | ({ readonly type: "exhibit" } & UploadedExhibit)
  | ({ readonly type: "failed" } & Failure)
  | { readonly type: "skipped"; readonly path: string; readonly reason: string };

export type OnOutcome = (outcome: UploadOutcome) => void;

interface Done {
  readonly exhibits: readonly UploadedExhibit[];
  readonly failed: readonly Failure[];
}

/**
 * Uploads exhibits, several at a time; they get their references in their order. One that fails does not stop the others; what would
 * fail all of them alike does, and is thrown where nothing had come of any.
 */
export async function uploadExhibits(
  common: Omit<ExhibitUpload, "plan">,
  plans: readonly ExhibitPlan[],
  onOutcome: OnOutcome,
  signal: AbortSignal,
): Promise<Done> {
  const outcomes: (UploadedExhibit | Failure | undefined)[] = plans.map(() => undefined);
  const running = new Set<Promise<void>>();
  let stoppedBy: ExhibitError | undefined;
  let broken: { readonly error: unknown } | undefined;

  const settle = (index: number, plan: ExhibitPlan, error: unknown): void => {
    if (signal.aborted || !(error instanceof ExhibitError)) {
      broken ??= { error };
      return;
    }
    if (stopsAll(error)) stoppedBy ??= error;
    const failure = failureOf(plan.path, error);
    outcomes[index] = failure;
    onOutcome({ type: "failed", ...failure });
    common.deps.onEvent({ type: "file-failed", path: plan.path, message: error.message });
  };
  const upload = async (index: number, plan: ExhibitPlan): Promise<void> => {
    const one = { ...common, plan };
    const entry = await reserveExhibit(one, signal);
    const sending = uploadReserved(one, entry, signal)
      .then((exhibit) => {
        outcomes[index] = exhibit;
        onOutcome({ type: "exhibit", ...exhibit });
      })
      .catch((error: unknown) => {
        settle(index, plan, error);
      })
      .finally(() => running.delete(sending));
    running.add(sending);
  };

  for (const [index, plan] of plans.entries()) {
    while (running.size >= common.request.concurrency) await Promise.race(running);
    if (stoppedBy !== undefined || broken !== undefined || signal.aborted) break;
    await upload(index, plan).catch((error: unknown) => {
      settle(index, plan, error);
    });
  }
  await Promise.all(running);
  signal.throwIfAborted();
  if (broken !== undefined) throw broken.error;
  return divided(plans, outcomes, stoppedBy, onOutcome);
}

/** Those that were never begun fail with what stopped all. */
function divided(
  plans: readonly ExhibitPlan[],
  outcomes: readonly (UploadedExhibit | Failure | undefined)[],
  stoppedBy: ExhibitError | undefined,
  onOutcome: OnOutcome,
): Done {
  const exhibits: UploadedExhibit[] = [];
  const failed: Failure[] = [];
  for (const [index, plan] of plans.entries()) {
    const outcome = outcomes[index];
    if (outcome !== undefined && "receipt" in outcome) exhibits.push(outcome);
    else if (outcome !== undefined) failed.push(outcome);
    else if (stoppedBy !== undefined) {
      const failure = failureOf(plan.path, stoppedBy);
      failed.push(failure);
      onOutcome({ type: "failed", ...failure });
    }
  }
  const nothingCame = exhibits.length === 0 && failed.every(({ code }) => code === stoppedBy?.code);
  if (stoppedBy !== undefined && nothingCame) throw stoppedBy;
  return { exhibits, failed };
}
