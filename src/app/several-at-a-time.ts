/**
 * Works on things, `most` at a time, and gives what came of each in their order. A failure stops the others, and is thrown when
 * they have ended; `signal` stops all.
 */
export async function severalAtATime<Thing, Result>(
  things: readonly Thing[],
  most: number,
  signal: AbortSignal,
  work: (thing: Thing, index: number, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const waiting = things.entries();
  const worker = async (): Promise<void> => {
    // All workers take from the same iterator: each thing is worked on once.
    for (const [index, thing] of waiting) {
      if (either.aborted) return;
      try {
        results[index] = await work(thing, index, either);
      } catch (error) {
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, things.length) }, worker));
  signal.throwIfAborted();
  stop.signal.throwIfAborted();
  return results;
}
