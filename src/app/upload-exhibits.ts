import { ExhibitError, type ErrorCode } from "../evidence/errors.ts";
import type { QueuedPlan, SettledPlan, UploadQueue } from "../evidence/ports/upload-queue.ts";
import type { ExhibitPlan } from "./exhibit-plan.ts";
import { failureOf, stopsAll } from "./failure.ts";
import type { Failure } from "./deps.ts";
import type { Planning } from "./planning.ts";
import { reserveTurn } from "./reserve-turn.ts";
import { stillThere } from "./still-there.ts";
import { groupsOf, uploadBundle, type BundleMember, type SmallMember } from "./upload-bundle.ts";
import { uploadReserved, type ExhibitUpload } from "./upload-exhibit.ts";
import { rowOf, type OnOutcome, type PlanOutcome, type UploadedExhibit } from "./upload-outcome.ts";
import { Slots } from "./slots.ts";

/** Where the exhibits come from, and where what becomes of them is written. */
export interface ExhibitsToUpload {
  readonly planning: Pick<Planning, "next">;
  readonly queue: Pick<UploadQueue, "settle" | "counts">;
  readonly onOutcome: OnOutcome;
}

type Common = Omit<ExhibitUpload, "plan">;

/** Plans that are taken from the queue at once. */
const turnLength = 500;

/**
 * Bundles on their way at once: one is read and sealed here while another is taken in there. More of them would only wait for
 * each other at the store, seem slower for it, and stay short, while what a bundle costs by itself (flushes, transactions) is
 * paid for each.
 */
const bundlesAtOnce = 2;

/**
 * Uploads exhibits as they are planned, several at a time; they get their references in their order. Small ones travel together where
 * the store takes bundles. One that fails does not stop the others; what would fail all of them alike does, and is thrown where nothing
 * had come of any.
 */
export async function uploadExhibits(
  common: Common,
  to: ExhibitsToUpload,
  signal: AbortSignal,
): Promise<void> {
  await new Uploads(common, to, signal).all();
}

class Uploads {
  readonly #common: Common;
  readonly #to: ExhibitsToUpload;
  readonly #signal: AbortSignal;
  readonly #slots: Slots;
  readonly #bundles: Slots;
  readonly #failedBy = new Set<ErrorCode>();
  /** Taken from the queue, and not begun when all was stopped. */
  readonly #notBegun: { readonly place: number; readonly plan: ExhibitPlan }[] = [];
  #stoppedBy: ExhibitError | undefined;
  #broken: { readonly error: unknown } | undefined;

  constructor(common: Common, to: ExhibitsToUpload, signal: AbortSignal) {
    this.#common = common;
    this.#to = to;
    this.#signal = signal;
    const { concurrency } = common.request;
    this.#slots = new Slots(concurrency);
    this.#bundles = new Slots(Math.min(bundlesAtOnce, concurrency));
  }

  async all(): Promise<void> {
    const { planning } = this.#to;
    const { bundles } = this.#common.connection;
    try {
      for (;;) {
        await this.#slots.free();
        if (this.#isOver()) break;
        const turn = await planning.next(bundles?.limits.maxExhibits ?? turnLength);
        if (turn.length === 0) break;
        const anew = await this.#withoutThose(turn);
        if (bundles === undefined) await this.#uploadInTurn(anew);
        else await this.#uploadTurn(anew);
      }
    } finally {
      await this.#slots.empty();
    }
    this.#signal.throwIfAborted();
    if (this.#broken !== undefined) throw this.#broken.error;
    if (this.#stoppedBy !== undefined) await this.#failTheRest(this.#stoppedBy);
  }

  #isOver(): boolean {
    return this.#stoppedBy !== undefined || this.#broken !== undefined || this.#signal.aborted;
  }

  #run(work: Promise<void>, alsoIn?: Slots): void {
    const running = work.catch((error: unknown) => {
      this.#broken ??= { error };
    });
    this.#slots.take(running);
    alsoIn?.take(running);
  }

  /** Settles those of a turn that an earlier run had brought in and the store still has; gives back the others. */
  async #withoutThose(turn: readonly QueuedPlan[]): Promise<readonly QueuedPlan[]> {
    try {
      const there = await stillThere(this.#common, turn, this.#signal);
      this.#settle(
        turn.flatMap(({ place, plan }) => {
          const exhibit = there.get(place);
          return exhibit === undefined ? [] : [{ place, plan, exhibit }];
        }),
      );
      return turn.filter(({ place }) => !there.has(place));
    } catch (error) {
      this.#settle(turn.map(({ place, plan }) => ({ place, plan, error })));
      return [];
    }
  }

  /** One by one, each reserved only when it is its turn to be sent. */
  async #uploadInTurn(turn: readonly QueuedPlan[]): Promise<void> {
    for (const [index, queued] of turn.entries()) {
      await this.#slots.free();
      if (this.#isOver()) {
        this.#notBegun.push(...turn.slice(index));
        return;
      }
      for (const member of await this.#reserve([queued])) this.#run(this.#uploadSingle(member));
    }
  }

  /** All reserved at once, the small ones sent together. */
  async #uploadTurn(turn: readonly QueuedPlan[]): Promise<void> {
    const { together, single } = groupsOf(this.#common, await this.#reserve(turn));
    for (const members of together) {
      await this.#bundles.free();
      await this.#slots.free();
      if (this.#isOver()) this.#notBegun.push(...members);
      else this.#run(this.#uploadTogether(members), this.#bundles);
    }
    for (const member of single) {
      await this.#slots.free();
      if (this.#isOver()) this.#notBegun.push(member);
      else this.#run(this.#uploadSingle(member));
    }
  }

  /** Those of a turn that have got their places in the case. */
  async #reserve(turn: readonly Pick<QueuedPlan, "place" | "plan">[]): Promise<BundleMember[]> {
    if (turn.length === 0) return [];
    const members: BundleMember[] = [];
    const failed: PlanOutcome[] = [];
    const answers = await reserveTurn(this.#common, turn, this.#signal);
    for (const [index, { place, plan }] of turn.entries()) {
      const answer = answers[index];
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
      if (this.#isOver()) {
        this.#notBegun.push(member);
        continue;
      }
      // Told anew what the store holds of it: another may have brought it in meanwhile.
      const [again] = await this.#reserve([member]);
      if (again !== undefined) await this.#uploadSingle(again);
    }
  }

  async #uploadSingle({ place, plan, entry }: BundleMember): Promise<void> {
    try {
      const exhibit = await uploadReserved({ ...this.#common, plan }, entry, this.#signal);
      this.#settle([{ place, plan, exhibit }]);
    } catch (error) {
      this.#settle([{ place, plan, error }]);
    }
  }

  #settle(outcomes: readonly PlanOutcome[]): void {
    const { queue, onOutcome } = this.#to;
    const settled: SettledPlan[] = [];
    const arrived: UploadedExhibit[] = [];
    const failed: { readonly plan: ExhibitPlan; readonly error: ExhibitError }[] = [];
    for (const outcome of outcomes) {
      const { place, plan } = outcome;
      if ("exhibit" in outcome) {
        const exhibit = { ...outcome.exhibit, ...rowOf(plan) };
        settled.push({ place, state: "done", outcome: exhibit });
        arrived.push(exhibit);
        continue;
      }
      const { error } = outcome;
      if (this.#signal.aborted || !(error instanceof ExhibitError)) this.#broken ??= { error };
      else {
        settled.push({ place, state: "failed", outcome: failureOfPlan(plan, error) });
        failed.push({ plan, error });
      }
    }
    if (settled.length > 0) queue.settle(settled);
    for (const exhibit of arrived) onOutcome({ type: "exhibit", ...exhibit });
    for (const { plan, error } of failed) this.#tellFailure(plan, error);
  }

  #tellFailure(plan: ExhibitPlan, error: ExhibitError): void {
    const { onOutcome } = this.#to;
    if (stopsAll(error)) this.#stoppedBy ??= error;
    this.#failedBy.add(error.code);
    onOutcome({ type: "failed", ...failureOfPlan(plan, error) });
    this.#common.deps.onEvent({ type: "file-failed", path: plan.path, message: error.message });
  }

  /** Those that were never begun fail with what stopped all. @throws that error, where nothing came of any */
  async #failTheRest(stoppedBy: ExhibitError): Promise<void> {
    const { planning, queue, onOutcome } = this.#to;
    const nothingCame =
      queue.counts().done === 0 && [...this.#failedBy].every((code) => code === stoppedBy.code);
    if (nothingCame) throw stoppedBy;
    let rest: readonly { readonly place: number; readonly plan: ExhibitPlan }[] = this.#notBegun;
    do {
      const failures = rest.map(({ place, plan }) => ({
        place,
        failure: failureOfPlan(plan, stoppedBy),
      }));
      queue.settle(
        failures.map(({ place, failure }) => ({ place, state: "failed", outcome: failure })),
      );
      for (const { failure } of failures) onOutcome({ type: "failed", ...failure });
      rest = await planning.next(turnLength);
    } while (rest.length > 0);
  }
}

function failureOfPlan(plan: ExhibitPlan, error: ExhibitError): Failure {
  return { ...failureOf(plan.path, error), ...rowOf(plan) };
}
