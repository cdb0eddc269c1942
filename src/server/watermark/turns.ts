/** At most so many at once; the others wait in the order in which they came. */
export interface Turns {
  /** Does `work` when its turn has come. One that is aborted while it waits is never done. */
  take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  free(): boolean;
}

export function createTurns(atOnce: number): Turns {
  let running = 0;
  const waiting = new Set<() => void>();

  function next(): void {
    running -= 1;
    const first = waiting.values().next();
    if (first.done !== true) first.value();
  }

  function turn(signal: AbortSignal): Promise<void> {
    if (running < atOnce) {
      running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const start = (): void => {
        leave();
        running += 1;
        resolve();
      };
      const onAbort = (): void => {
        leave();
        reject(signal.reason instanceof Error ? signal.reason : new Error("stopped"));
      };
      const leave = (): void => {
        waiting.delete(start);
        signal.removeEventListener("abort", onAbort);
      };
      waiting.add(start);
      signal.addEventListener("abort", onAbort);
    });
  }

  return {
    free: () => running < atOnce,
    async take(signal, work) {
      signal.throwIfAborted();
      await turn(signal);
      try {
        return await work();
      } finally {
        next();
      }
    },
  };
}
