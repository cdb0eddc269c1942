/** Lets so many pieces of work run at once. */
export class Slots {
  readonly #most: number;
  readonly #running = new Set<Promise<void>>();
  #ended: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Settles when one more may run. For one who waits at a time. */
  async free(): Promise<void> {
    // Not a race of what runs: each race would leave something behind with work that lasts for hours.
    while (this.#running.size >= this.#most) {
      await new Promise<void>((resolve) => this.#ended.push(resolve));
    }
  }

  /** Takes a slot until `work`, which must not fail, has ended. */
  take(work: Promise<void>): void {
    const running = work.finally(() => {
      this.#running.delete(running);
      for (const go of this.#ended.splice(0)) go();
    });
    this.#running.add(running);
  }

  /** Settles when nothing runs any more. */
  async empty(): Promise<void> {
    await Promise.all(this.#running);
  }
}
