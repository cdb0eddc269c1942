/** Whether something has happened since it was last waited for; nothing that comes between two waits is lost. */
export class Changes {
  #hasHappened = false;
  #wake: (() => void) | undefined;

  readonly happened = (): void => {
    this.#hasHappened = true;
    this.#wake?.();
  };

  /** Waits for something that has not been waited for before, or so long, or until the signal. @returns whether it has happened */
  async next(atMostMs: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#hasHappened && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", wake);
          this.#wake = undefined;
          resolve();
        };
        const timer = setTimeout(wake, atMostMs);
        signal.addEventListener("abort", wake);
        this.#wake = wake;
      });
    }
    const hasHappened = this.#hasHappened;
    this.#hasHappened = false;
    return hasHappened;
  }
}
