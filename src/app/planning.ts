import { ExhibitError } from "../evidence/errors.ts";
import type { WalkWatcher } from "../evidence/ports/source.ts";
import type { QueuedPlan, UploadQueue } from "../evidence/ports/upload-queue.ts";
import { Change } from "./change.ts";
import type { Deps, Failure } from "./deps.ts";
import { planOf, type ExhibitPlan } from "./exhibit-plan.ts";
import { failureOf } from "./failure.ts";
import { checkRows, type CheckedList } from "./csv/check-rows.ts";
import { failureOfRow, readPlans, requireSameList } from "./csv/plans-of-rows.ts";
import { filesAt, nothingMeant } from "./found-files.ts";
import { alike, incomplete, isAboutOne, OneExhibit } from "./one-exhibit.ts";
import type { OnOutcome } from "./upload-outcome.ts";
import type { UploadRequest } from "./upload-request.ts";

/** So much is found before anything is sent, so that a mistake in a command of usual size is told before its first byte. */
const headStart = { exhibits: 10_000, ms: 700 };

/** Plans that are written into the queue at once. */
const batchOfPlans = 500;

/** The walk rests while so many plans wait. */
const mostWaiting = 1_000_000;

/** Where plans go, and who is told of what becomes of them and of what is in none. */
export interface PlanningInto {
  readonly queue: UploadQueue;
  readonly onOutcome: OnOutcome;
  readonly onEvent: Deps["onEvent"];
}

/**
 * Lists what is to be uploaded and divides it into exhibits, one for all of it with `oneExhibit`, else one a file, while those that
 * were found first are being sent already. A file that is named twice counts once. One exhibit of which a part could not be
 * listed is none: what is sealed without it would lack it for good.
 */
export class Planning {
  /** What is known of the list that is uploaded by, if one is. */
  readonly list: CheckedList | undefined;
  readonly #deps: Pick<Deps, "source" | "queues">;
  readonly #request: UploadRequest;
  readonly #signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #one: OneExhibit | undefined;
  #found: ExhibitPlan[] = [];
  readonly #notedEarly: (() => void)[] = [];
  #unlisted: Failure | undefined;
  #into: PlanningInto | undefined;
  #isComplete = false;
  #broken: { readonly error: unknown } | undefined;
  #handedOut = 0;
  /** What was found first is in the queue: from now on what is wrong with one file is its own failure. */
  #isTaken = false;
  /** Paths whose files were, or are, looked for. */
  #walks = 0;
  readonly #change = new Change();
  #hadTime = false;

  private constructor(
    deps: Pick<Deps, "source" | "queues">,
    request: UploadRequest,
    signal: AbortSignal,
    list: CheckedList | undefined,
  ) {
    this.#deps = deps;
    this.list = list;
    this.#request = request;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
    this.#one = isAboutOne(request) ? new OneExhibit(request) : undefined;
    // Whoever waits for a walk that hangs in a slow folder is to go on, too.
    this.#signal.addEventListener("abort", () => {
      this.#change.tell();
    });
  }

  /**
   * Begins to list, and gives back once all is listed, or enough to begin with. What is wrong up to then is thrown, because nothing
   * was done yet; later, it is the failure of what it concerns.
   *
   * @throws ExhibitError `not-found.source`; `usage.invalid` where there is nothing to send, and where what was said of one
   * exhibit would be said of several; `WrongRows` where not every row of a list can be sent
   */
  static async begin(
    deps: Pick<Deps, "source" | "queues">,
    request: UploadRequest,
    signal: AbortSignal,
  ): Promise<Planning> {
    const list = request.rows === undefined ? undefined : await checkRows(deps, request, signal);
    const planning = new Planning(deps, request, signal, list);
    void planning.#walk();
    const timer = setTimeout(() => {
      planning.#hadTime = true;
      planning.#change.tell();
    }, headStart.ms);
    try {
      await planning.#change.until(() => planning.#isBegun(), planning.#signal);
    } finally {
      clearTimeout(timer);
    }
    planning.#throwBroken();
    return planning;
  }

  /**
   * Puts what was found, and what is still to be found, into a queue. Called once.
   *
   * @throws ExhibitError `usage.invalid` where two of the files that were found look alike; `unavailable.no-space`
   */
  into(into: PlanningInto): void {
    this.#into = into;
    try {
      for (const note of this.#notedEarly.splice(0)) note();
      this.#flush();
    } catch (error) {
      into.queue.discard();
      throw error;
    }
    this.#isTaken = true;
    this.#change.tell();
  }

  /** The next plans in their order, `most` at most, as soon as there are any; none when there will be no more. */
  async next(most: number): Promise<readonly QueuedPlan[]> {
    for (;;) {
      this.#signal.throwIfAborted();
      const plans = this.#taken(most);
      if (plans.length > 0 || this.#isComplete) return plans;
      await this.#change.next;
    }
  }

  /** Lists no further: nobody will ask for more. */
  stop(): void {
    this.#stop.abort(new Error("Nothing more is asked for."));
  }

  #taken(most: number): readonly QueuedPlan[] {
    const { queue } = this.#target();
    if (this.#found.length > 0) this.#flush();
    const plans = queue.take(most);
    this.#throwBroken();
    this.#handedOut += plans.length;
    if (plans.length > 0) this.#change.tell();
    return plans;
  }

  #target(): PlanningInto {
    if (this.#into === undefined) throw new Error("There is no queue yet.");
    return this.#into;
  }

  #isBegun(): boolean {
    if (this.#isComplete) return true;
    if (this.#one !== undefined) return false;
    return this.#hadTime || this.#found.length >= headStart.exhibits;
  }

  async #walk(): Promise<void> {
    try {
      if (this.list === undefined) await this.#walkFiles();
      else await this.#walkRows(this.list);
    } catch (error) {
      this.#broken = { error };
    }
    this.#isComplete = true;
    if (this.#into !== undefined) this.#flushed();
    this.#change.tell();
  }

  async #walkFiles(): Promise<void> {
    for (const path of this.#request.paths) await this.#walkOne(path);
    this.#finishOne();
    this.#requireSomething();
  }

  /** Reads a list again that was checked, this time to send what it names. A list without a row is done at once. */
  async #walkRows({ version }: CheckedList): Promise<void> {
    const { source } = this.#deps;
    await readPlans(source, this.#request, this.#signal, async (list, rows) => {
      requireSameList(list, version, this.#request);
      for await (const row of rows) {
        if ("wrong" in row) this.#fail(failureOfRow(row));
        else {
          this.#found.push(row.plan);
          await this.#room();
        }
      }
    });
  }

  async #walkOne(path: string): Promise<void> {
    this.#walks += 1;
    const watcher: WalkWatcher = {
      skipped: (entry) => {
        this.#note({ type: "skipped", ...entry });
      },
      unlisted: ({ path: unlisted, error }) => {
        this.#fail(failureOf(unlisted, error));
      },
    };
    try {
      const files = filesAt(this.#deps.source, this.#request, path, watcher, this.#signal);
      for await (const file of files) {
        if (this.#one !== undefined) {
          this.#one.add(file);
          continue;
        }
        this.#found.push(planOf(file.path, [file], undefined));
        await this.#room();
      }
    } catch (error) {
      const isOfThisPath = this.#into !== undefined && this.#broken === undefined;
      if (!isOfThisPath || !(error instanceof ExhibitError)) throw error;
      this.#fail(failureOf(path, error));
    }
  }

  /** Lets those who wait go on, and waits while there is enough to do. */
  async #room(): Promise<void> {
    if (this.#into === undefined) {
      if (!this.#isBegun()) return;
      this.#change.tell();
      await this.#change.until(() => this.#into !== undefined, this.#signal);
    }
    if (this.#found.length === 1) this.#change.tell();
    if (this.#found.length >= batchOfPlans) this.#flush();
    const { queue } = this.#target();
    const hasRoom = (): boolean => queue.counts().exhibits - this.#handedOut < mostWaiting;
    await this.#change.until(hasRoom, this.#signal);
  }

  #flush(): void {
    const { queue, onEvent } = this.#target();
    const plans = this.#found;
    this.#found = [];
    const before = queue.counts();
    const refused = this.#added(queue, plans);
    const after = queue.counts();
    for (const { path } of refused) {
      const error = alike(path, "the same name, size and time");
      if (!this.#isTaken) throw error;
      this.#fail(failureOf(path, error));
    }
    onEvent({
      type: "planned",
      files: after.files - before.files,
      bytes: after.bytes - before.bytes,
      isComplete: this.#isComplete,
    });
  }

  /** What is wrong with the queue is wrong with all, and not with what was to be added to it. */
  #added(queue: UploadQueue, plans: readonly ExhibitPlan[]): readonly ExhibitPlan[] {
    try {
      return queue.add(plans, this.#walks > 1);
    } catch (error) {
      this.#broken ??= { error };
      throw error;
    }
  }

  /** The last flush: it may find, too, what is wrong. */
  #flushed(): void {
    try {
      this.#flush();
    } catch (error) {
      this.#broken ??= { error };
    }
  }

  #finishOne(): void {
    const plan = this.#one?.plan();
    if (plan === undefined) return;
    if (this.#request.oneExhibit && this.#unlisted !== undefined)
      this.#fail(incomplete(this.#unlisted));
    else this.#found.push(plan);
  }

  #requireSomething(): void {
    const none = this.#found.length === 0 && this.#unlisted === undefined;
    if (none && (this.#into === undefined || this.#into.queue.counts().exhibits === 0)) {
      throw nothingMeant();
    }
  }

  #fail(failure: Failure): void {
    this.#unlisted ??= failure;
    this.#note({ type: "failed", ...failure });
  }

  #note(outcome: Parameters<OnOutcome>[0]): void {
    const note = (): void => {
      const { type, ...rest } = outcome;
      const { queue, onOutcome } = this.#target();
      queue.note({ state: type === "skipped" ? "skipped" : "failed", outcome: rest });
      onOutcome(outcome);
    };
    if (this.#into === undefined) this.#notedEarly.push(note);
    else note();
  }

  #throwBroken(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }
}
