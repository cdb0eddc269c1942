import type { Clock } from "../../evidence/ports/clock.ts";

/**
 * Counts what happened under a key within a sliding window. Kept in memory and bounded: the keys that were
 * touched longest ago are forgotten first.
 */
export class SlidingLimit {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #windowMs: number;
  readonly #maxKeys: number;
  readonly #times = new Map<string, number[]>();

  constructor(clock: Clock, most: number, windowMs: number, maxKeys = 50_000) {
    this.#clock = clock;
    this.#most = most;
    this.#windowMs = windowMs;
    this.#maxKeys = maxKeys;
  }

  /** How long until `key` may go on; 0 when it may now. */
  waitMs(key: string): number {
    const times = this.#recent(key);
    const oldest = times[times.length - this.#most];
    return oldest === undefined ? 0 : oldest + this.#windowMs - this.#clock.now().getTime();
  }

  add(key: string): void {
    const times = this.#recent(key);
    times.push(this.#clock.now().getTime());
    this.#times.delete(key);
    this.#times.set(key, times);
    const first = this.#times.keys().next();
    if (this.#times.size > this.#maxKeys && first.done !== true) this.#times.delete(first.value);
  }

  /** Takes the latest one back. */
  undo(key: string): void {
    this.#times.get(key)?.pop();
  }

  #recent(key: string): number[] {
    const since = this.#clock.now().getTime() - this.#windowMs;
    return (this.#times.get(key) ?? []).filter((time) => time > since);
  }
}
