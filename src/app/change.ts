/** What several wait for: whoever changes something tells so, and all who wait look again whether it is what they need. */
export class Change {
  #settle: () => void = () => undefined;
  #next = this.#made();

  /** Settles with the next change. */
  get next(): Promise<void> {
    return this.#next;
  }

  tell(): void {
    const settle = this.#settle;
    this.#next = this.#made();
    settle();
  }

  /** Waits until it is so; looks again at each change. @throws the signal's reason */
  async until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (!isSo()) {
      await this.#next;
      signal.throwIfAborted();
    }
  }

  #made(): Promise<void> {
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }
}
