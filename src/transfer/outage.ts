import { jitteredMs } from "../evidence/next-try.ts";
import type { Patience } from "./patience.ts";

/** A timer cannot wait longer. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * What all requests of a process know about a store that does not answer: while it is gone they wait, and one of them at a
 * time tries whether it is there again.
 */
export class Outage {
  /** When the store will be tried again, on the clock of `performance.now`; undefined while all is well. */
  #nextTryAt: number | undefined;
  #failures = 0;
  #isBeingTried = false;
  #lastSuccessAt = -Infinity;
  readonly #waiting = new Set<() => void>();

  /** Whether any request has succeeded since then (ms of `performance.now`). */
  succeededSince(ms: number): boolean {
    return this.#lastSuccessAt > ms;
  }

  /**
   * Settles when a request may be made: at once while all is well.
   *
   * @returns whether it is the one that finds out if the store is there again
   * @throws the signal's reason
   */
  async pass(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#nextTryAt === undefined) return false;
      const waitMs = this.#nextTryAt - performance.now();
      if (waitMs <= 0 && !this.#isBeingTried) {
        this.#isBeingTried = true;
        return true;
      }
      await this.#change(this.#isBeingTried ? undefined : waitMs, signal);
    }
  }

  /**
   * A request failed in a way that may pass. The wait has full jitter (anything from nothing to a doubled, capped length), so
   * that many machines do not come back at once, on top of `askedMs`, which the store asked for.
   *
   * @returns how long all will wait, or undefined where they wait already and this request was not the one that tried
   */
  failed(wasTrying: boolean, askedMs: number, patience: Patience): number | undefined {
    const asked = performance.now() + askedMs;
    if (this.#nextTryAt !== undefined && !wasTrying) {
      if (!this.#isBeingTried) this.#nextTryAt = Math.max(this.#nextTryAt, asked);
      return undefined;
    }
    this.#failures += 1;
    const waitMs = askedMs + jitteredMs(patience.baseMs, this.#failures - 1, patience.capMs);
    this.#isBeingTried = false;
    this.#nextTryAt = performance.now() + waitMs;
    this.#tell();
    return waitMs;
  }

  /** The store answered: all who wait go on. */
  over(): void {
    this.#lastSuccessAt = performance.now();
    if (this.#nextTryAt === undefined) return;
    this.#nextTryAt = undefined;
    this.#failures = 0;
    this.#isBeingTried = false;
    this.#tell();
  }

  /** A request that had been let through was stopped: if it was the one that tried, another may. */
  left(wasTrying: boolean): void {
    if (!wasTrying) return;
    this.#isBeingTried = false;
    this.#tell();
  }

  #tell(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Settles when something is known anew, or after `ms`. @throws the signal's reason */
  #change(ms: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", stop);
        this.#waiting.delete(wake);
      };
      const wake = (): void => {
        leave();
        resolve();
      };
      const stop = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      const timer = ms === undefined ? undefined : setTimeout(wake, Math.min(ms, longestTimerMs));
      signal.addEventListener("abort", stop);
      this.#waiting.add(wake);
    });
  }
}
