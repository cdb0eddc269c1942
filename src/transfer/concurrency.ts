/** A part that takes less is no evidence of pressure: disks and schedulers are not that even. */
const slowMs = 1000;

/** A byte that takes this many times as long as it did at best waits in a queue somewhere. */
const inflated = 4;

/**
 * How many parts may be in flight at once: never more than was asked for, fewer while the store or the line is pressed.
 * Additive increase (one more after each round without trouble), multiplicative decrease: half on a refusal for being
 * busy, a quarter less when parts become slow without more coming through.
 */
export class AdaptiveConcurrency {
  readonly #most: number;
  #limit: number;
  #bestMsPerByte = Infinity;
  /** Requests begun before this say nothing new: they felt the pressure that was acted upon. */
  #decreasedAt = -Infinity;

  /** @param most - the number asked for with `--concurrency` */
  constructor(most: number) {
    this.#most = most;
    this.#limit = most;
  }

  /** Parts that may be in flight now, at least 1. */
  get now(): number {
    return Math.floor(this.#limit);
  }

  /** A request with `bytes` got through; it was begun at `startedAt` and took until `endedAt` (ms of one clock). */
  sent(bytes: number, startedAt: number, endedAt: number): void {
    const ms = endedAt - startedAt;
    const msPerByte = ms / Math.max(1, bytes);
    const isSlow = ms > slowMs && msPerByte > inflated * this.#bestMsPerByte;
    this.#bestMsPerByte = Math.min(msPerByte, this.#bestMsPerByte);
    if (isSlow) {
      this.#decrease(0.75, startedAt, endedAt);
      // The line may have become slower for good: what is best is learnt anew, little by little.
      this.#bestMsPerByte *= 1.5;
    } else {
      this.#limit = Math.min(this.#most, this.#limit + 1 / this.#limit);
    }
  }

  /** A request that was begun at `startedAt` was refused because the store is busy. */
  pressed(startedAt: number, now: number): void {
    this.#decrease(0.5, startedAt, now);
  }

  #decrease(factor: number, startedAt: number, now: number): void {
    if (startedAt < this.#decreasedAt) return;
    this.#decreasedAt = now;
    this.#limit = Math.max(1, this.#limit * factor);
  }
}
