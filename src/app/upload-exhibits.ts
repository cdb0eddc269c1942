import { ExhibitError, type ErrorCode } from "../evidence/errors.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { QueuedPlan, UploadQueue } from "../evidence/ports/upload-queue.ts";
import type { ExhibitPlan } from "./exhibit-plan.ts";
import { failureOf, stopsAll } from "./failure.ts";
import type { Planning } from "./planning.ts";
import { bundlesOf, uploadBundle, type BundleMember, type SmallMember } from "./upload-bundle.ts";
import { uploadReserved, type ExhibitUpload } from "./upload-exhibit.ts";
import type { OnOutcome, UploadedExhibit } from "./upload-outcome.ts";
import { reserveTurn } from "./reserve-turn.ts";

/** Where the exhibits come from, and where what becomes of them is written. */
export interface ExhibitsToUpload {
  readonly planning: Pick<Planning, "next">;
  readonly queue: Pick<UploadQueue, "settle" | "counts">;
  readonly onOutcome: OnOutcome;
}

/** What became of a plan. */
export type PlanOutcome =
  | { readonly place: number; readonly exhibit: UploadedExhibit }
  | { readonly place: number; readonly plan: ExhibitPlan; readonly error: unknown };

/**
 * Uploads exhibits as they are planned, several at a time; they get their references in their order. Small ones travel together where
 * the store takes bundles. One that fails does not stop the others; what would fail all of them alike does, and is thrown where nothing
 * had come of any.
 */
export async function uploadExhibits(
  common: Omit<ExhibitUpload, "plan">,
  to: ExhibitsToUpload,
  signal: AbortSignal,
): Promise<void> {
  const uploads = new Uploads(common, to, signal);
  await uploads.all();
}

class Uploads {
  readonly #common: Omit<ExhibitUpload, "plan">;
  readonly #to: ExhibitsToUpload;
  readonly #signal: AbortSignal;
  readonly #running = new Set<Promise<void>>();
  readonly #failedBy = new Set<ErrorCode>();
  #stoppedBy: ExhibitError | undefined;
  #broken: { readonly error: unknown } | undefined;

  constructor(common: Omit<ExhibitUpload, "plan">, to: ExhibitsToUpload, signal: AbortSignal) {
    this.#common = common;
    this.#to = to;
    this.#signal = signal;
  }

  async all(): Promise<void> {
    const { planning } = this.#to;
    const { bundles } = this.#common.connection;
    try {
      for (;;) {
        await this.#slot();
        if (this.#isOver()) break;
        const turn = await planning.next(bundles?.limits.maxExhibits ?? 1);
        if (turn.length === 0) break;
        await this.#upload(turn);
      }
    } finally {
      await Promise.all(this.#running);
    }
    this.#signal.throwIfAborted();
    if (this.#broken !== undefined) throw this.#broken.error;
    if (this.#stoppedBy !== undefined) await this.#failTheRest(this.#stoppedBy);
  }

  #isOver(): boolean {
    return this.#stoppedBy !== undefined || this.#broken !== undefined || this.#signal.aborted;
  }

  /** Waits until one more may run. */
  async #slot(): Promise<void> {
    while (this.#running.size >= this.#common.request.concurrency)
      await Promise.race(this.#running);
  }

  #run(work: Promise<void>): void {
    const running = work
      .catch((error: unknown) => {
        this.#broken ??= { error };
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #upload(turn: readonly QueuedPlan[]): Promise<void> {
    const reserved = await this.#reserve(turn);
    const { together, single } = bundlesOf(this.#common, reserved);
    for (const members of together) {
      await this.#slot();
      if (this.#isOver()) return;
      this.#run(this.#uploadTogether(members));
    }
    for (const member of single) {
      await this.#slot();
      if (this.#isOver()) return;
      this.#run(this.#uploadSingle(member));
    }
  }

  /** Those of a turn that have got their places in the case. */
  async #reserve(turn: readonly QueuedPlan[]): Promise<BundleMember[]> {
    const members: BundleMember[] = [];
    const failed: PlanOutcome[] = [];
    const answers = await reserveTurn(this.#common, turn, this.#signal);
    for (const [index, { place, plan }] of turn.entries()) {
      const answer: ExhibitEntry | { readonly error: unknown } | undefined = answers[index];
      if (answer === undefined || "error" in answer) {
        failed.push({ place, plan, error: answer?.error });
      } else members.push({ place, plan, entry: answer });
    }
    this.#settle(failed);
    return members;
  }

  async #uploadTogether(members: readonly SmallMember[]): Promise<void> {
    const { outcomes, apart } = await uploadBundle(this.#common, members, this.#signal);
    this.#settle(outcomes);
    for (const member of apart) {
      if (this.#isOver()) return;
      // Told anew what the store holds of it: another may have brought it in meanwhile.
      const [again] = await this.#reserve([member]);
      if (again !== undefined) await this.#uploadSingle(again);
    }
  }

  async #uploadSingle({ place, plan, entry }: BundleMember): Promise<void> {
    try {
      const exhibit = await uploadReserved({ ...this.#common, plan }, entry, this.#signal);
      this.#settle([{ place, exhibit }]);
    } catch (error) {
      this.#settle([{ place, plan, error }]);
    }
  }

  #settle(outcomes: readonly PlanOutcome[]): void {
    const { queue, onOutcome } = this.#to;
    const failed = [];
    const done = [];
    for (const outcome of outcomes) {
      if ("exhibit" in outcome) {
        done.push(outcome);
        continue;
      }
      const { place, plan, error } = outcome;
      if (this.#signal.aborted || !(error instanceof ExhibitError)) this.#broken ??= { error };
      else failed.push({ place, plan, error });
    }
    queue.settle([
      ...done.map(({ place, exhibit }) => ({ place, state: "done", outcome: exhibit }) as const),
      ...failed.map(
        ({ place, plan, error }) =>
          ({ place, state: "failed", outcome: failureOf(plan.path, error) }) as const,
      ),
    ]);
    for (const { exhibit } of done) onOutcome({ type: "exhibit", ...exhibit });
    for (const { plan, error } of failed) this.#tellFailure(plan, error);
  }

  #tellFailure(plan: ExhibitPlan, error: ExhibitError): void {
    const { onOutcome } = this.#to;
    if (stopsAll(error)) this.#stoppedBy ??= error;
    this.#failedBy.add(error.code);
    onOutcome({ type: "failed", ...failureOf(plan.path, error) });
    this.#common.deps.onEvent({ type: "file-failed", path: plan.path, message: error.message });
  }

  /** Those that were never begun fail with what stopped all. @throws that error, where nothing came of any */
  async #failTheRest(stoppedBy: ExhibitError): Promise<void> {
    const { planning, queue, onOutcome } = this.#to;
    const nothingCame =
      queue.counts().done === 0 && [...this.#failedBy].every((code) => code === stoppedBy.code);
    if (nothingCame) throw stoppedBy;
    for (;;) {
      const rest = await planning.next(1000);
      if (rest.length === 0) return;
      const failures = rest.map(({ place, plan }) => ({
        place,
        failure: failureOf(plan.path, stoppedBy),
      }));
      queue.settle(
        failures.map(({ place, failure }) => ({ place, state: "failed", outcome: failure })),
      );
      for (const { failure } of failures) onOutcome({ type: "failed", ...failure });
    }
  }
}
