/** What parts in flight may still take when a person stops the command: within 3 s it has to be gone. */
export const parkingMs = 2500;

/** A signal that follows another after a while, so that what is nearly done can be finished. */
export interface Parking {
  readonly signal: AbortSignal;
  /** Stops following; to be called when nothing listens any more. */
  end(): void;
}

/** Aborted with the same reason as `stop`, `ms` after it. */
export function parkedAfter(stop: AbortSignal, ms: number): Parking {
  const parked = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const park = (): void => {
    timer = setTimeout(() => {
      parked.abort(stop.reason);
    }, ms);
  };
  if (stop.aborted) parked.abort(stop.reason);
  else stop.addEventListener("abort", park, { once: true });
  return {
    signal: parked.signal,
    end: () => {
      stop.removeEventListener("abort", park);
      clearTimeout(timer);
    },
  };
}
