import { ExhibitError } from "../evidence/errors.ts";

/**
 * Does something at once and every `everyMs`, one time after the other. What goes wrong is told by its code, and tried again the next
 * time. Returns what stops it and waits for its end.
 */
export function keepDoing(
  work: (signal: AbortSignal) => Promise<void>,
  everyMs: number,
  onFailure: (code: string) => void,
): () => Promise<void> {
  const stop = new AbortController();
  let running = Promise.resolve();
  const run = (): void => {
    running = running
      .then(() => work(stop.signal))
      .catch((error: unknown) => {
        if (stop.signal.aborted) return;
        onFailure(error instanceof ExhibitError ? error.code : "unforeseen");
      });
  };
  run();
  const timer = setInterval(run, everyMs);
  return async () => {
    clearInterval(timer);
    stop.abort();
    await running;
  };
}
