import { ExhibitError } from "../evidence/errors.ts";
import type { Pace } from "../evidence/ports/pace.ts";

/** A body has as many slices at least, so that a short part on a slow line shows its progress, too. */
const leastSlices = 16;
const smallestSlice = 16 * 1024;

/** A body on its way out, in slices of the caller's buffer: less memory under TLS, and one can see how fast it goes. */
export interface Outgoing {
  readonly slices: AsyncIterable<Uint8Array>;
  /** Aborted when the caller's signal is, and when the connection has taken no slice for too long. */
  readonly signal: AbortSignal;
}

/** Where bytes go, how fast they may, and for how long the connection may take none. */
export interface Way {
  readonly url: string;
  readonly pace: Pace;
  readonly stallMs: number;
}

/** Prepares bytes to be sent once, no faster than the pace. Waiting for the pace is no stall. */
export function outgoing(
  bytes: Uint8Array,
  { pace, stallMs, url }: Way,
  signal: AbortSignal,
): Outgoing {
  const stalled = new AbortController();
  // One of its own for each request: undici listens to it, and a person's one signal serves many at once.
  const either = AbortSignal.any([signal, stalled.signal]);
  const stall = (): void => {
    stalled.abort(tookNothing(url, stallMs));
  };
  async function* slices(): AsyncGenerator<Uint8Array> {
    const most = Math.max(smallestSlice, Math.ceil(bytes.byteLength / leastSlices));
    let timer: NodeJS.Timeout | undefined;
    try {
      for (let at = 0; at < bytes.byteLength;) {
        const slice = bytes.subarray(at, at + Math.min(most, pace.strideBytes));
        await pace.wait(slice.byteLength, either);
        timer = setTimeout(stall, stallMs);
        yield slice;
        clearTimeout(timer);
        at += slice.byteLength;
      }
    } finally {
      clearTimeout(timer);
    }
  }
  return { slices: slices(), signal: either };
}

function tookNothing(url: string, stallMs: number): ExhibitError {
  const { host } = new URL(url);
  return new ExhibitError(
    "unavailable.store",
    `The connection to ${host} has taken nothing for ${Math.round(stallMs / 1000)} s.`,
    { hint: "Check this computer's connection. What has arrived is kept." },
  );
}
