/**
 * At most so many at once, and never all of them for one party while more than one is possible: who comes later finds
 * a place. Those who wait are taken party by party, each party's own in the order in which they came.
 */
export interface Turns {
  /**
   * Does `work` when the turn of `party` has come: a share's id, or what is worked on where there is no share yet. One
   * that is aborted while it waits is never done.
   */
  take<T>(party: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /** True when `party` would not have to wait. */
  free(party: string): boolean;
}

export function createTurns(atOnce: number): Turns {
  const mostOfOne = Math.max(1, atOnce - 1);
  const running: string[] = [];
  /** A line for each party that waits; the party whose line is first here is next. */
  const lines = new Map<string, Set<() => void>>();

  function free(party: string): boolean {
    const own = running.filter((one) => one === party).length;
    return running.length < atOnce && own < mostOfOne;
  }

  function end(party: string): void {
    running.splice(running.indexOf(party), 1);
    for (const [next, line] of lines) {
      const [start] = line;
      if (start === undefined || !free(next)) continue;
      lines.delete(next);
      lines.set(next, line);
      start();
      return;
    }
  }

  function wait(party: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = lines.get(party) ?? new Set();
      const leave = (): void => {
        line.delete(start);
        if (line.size === 0) lines.delete(party);
        signal.removeEventListener("abort", onAbort);
      };
      const start = (): void => {
        leave();
        running.push(party);
        resolve();
      };
      const onAbort = (): void => {
        leave();
        reject(signal.reason instanceof Error ? signal.reason : new Error("stopped"));
      };
      lines.set(party, line.add(start));
      signal.addEventListener("abort", onAbort);
    });
  }

  return {
    free,
    async take(party, signal, work) {
      signal.throwIfAborted();
      if (free(party)) running.push(party);
      else await wait(party, signal);
      try {
        return await work();
      } finally {
        end(party);
      }
    },
  };
}
