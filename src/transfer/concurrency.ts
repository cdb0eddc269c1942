/** How many parts may be in flight at once: never more than was asked for, fewer while the store or the line is pressed. */
export class AdaptiveConcurrency {
  readonly #most: number;

  /** @param most - the number asked for with `--concurrency` */
  constructor(most: number) {
    this.#most = most;
  }

  /** Parts that may be in flight now, at least 1. */
  get now(): number {
    return this.#most;
  }
}
