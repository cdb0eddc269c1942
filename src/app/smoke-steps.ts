import { ExhibitError, type ErrorCode } from "../evidence/errors.ts";

/** In this order; what was begun is erased whatever happens. */
export const smokeSteps = [
  "sign-in",
  "begin",
  "upload",
  "seal",
  "verify",
  "share",
  "open",
  "revoke",
  "prove-dead",
  "erase",
] as const;
export type SmokeStepName = (typeof smokeSteps)[number];

/** What became of one step. `left-out`: it is not for this store or this identity, `words` says why. */
export interface SmokeStep {
  readonly step: SmokeStepName;
  readonly outcome: "ok" | "failed" | "left-out" | "not-reached";
  readonly ms?: number;
  /** What was found, or what went wrong. */
  readonly words?: string;
  readonly code?: ErrorCode;
  readonly hint?: string;
}

/** Takes steps, and remembers how long each took and what came of it. */
export class SmokeSteps {
  readonly #taken = new Map<SmokeStepName, SmokeStep>();

  /** `words` says what was found. @throws what the step throws */
  async take<Result>(
    step: SmokeStepName,
    work: () => Promise<Result>,
    words: (result: Result) => string | undefined = () => undefined,
  ): Promise<Result> {
    // A step that is taken in two goes took as long as both.
    const startedAt = performance.now() - (this.#taken.get(step)?.ms ?? 0);
    const elapsed = (): number => Math.round(performance.now() - startedAt);
    try {
      const result = await work();
      const found = words(result);
      const told = found === undefined ? {} : { words: found };
      this.#taken.set(step, { step, outcome: "ok", ms: elapsed(), ...told });
      return result;
    } catch (error) {
      this.#taken.set(step, { step, outcome: "failed", ms: elapsed(), ...toldOf(error) });
      throw error;
    }
  }

  leaveOut(steps: readonly SmokeStepName[], words: string): void {
    for (const step of steps) this.#taken.set(step, { step, outcome: "left-out", words });
  }

  /** All steps there are, those that were not reached, too. */
  all(): SmokeStep[] {
    return smokeSteps.map((step) => this.#taken.get(step) ?? { step, outcome: "not-reached" });
  }
}

function toldOf(error: unknown): Partial<SmokeStep> {
  if (!(error instanceof ExhibitError)) return { words: "stopped" };
  const { code, message, hint } = error;
  return { words: message, code, ...(hint === undefined ? {} : { hint }) };
}
