import { setTimeout as pause } from "node:timers/promises";
import type { ExhibitError } from "../../evidence/errors.ts";
import { askedMs, jitteredMs } from "../../evidence/next-try.ts";

/** A user may begin so many uploads in a minute (Box: rate limits). */
const uploadsPerMinute = 240;
const minuteMs = 60_000;
/** Longer than that, whoever called decides whether to wait. */
const longestWaitMs = 60_000;
const mostTries = 8;
const firstPauseMs = 500;

/** Keeps all calls of a process to what Box allows: uploads a minute, and the silence that it asks for. */
export class Calm {
  readonly #uploadsPerMinute: number;
  /** When the last uploads began, oldest first. */
  readonly #uploads: number[] = [];
  #quietUntil = 0;

  constructor(perMinute = uploadsPerMinute) {
    this.#uploadsPerMinute = perMinute;
  }

  /** Waits until a call may be made. @throws the signal's reason */
  async turn(isUpload: boolean, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    for (;;) {
      const now = performance.now();
      const quietMs = this.#quietUntil - now;
      const waitMs = Math.max(quietMs, isUpload ? this.#fullMs(now) : 0);
      if (waitMs <= 0) {
        if (isUpload) this.#uploads.push(now);
        return;
      }
      await waited(waitMs, signal);
    }
  }

  /** Box has asked to be left alone: everyone is silent for as long. @throws ExhibitError `failure` where that is too long or too often */
  async busy(failure: ExhibitError, tries: number, signal: AbortSignal): Promise<void> {
    const waitMs = Math.max(askedMs(failure), jitteredMs(firstPauseMs, 0));
    this.#quietUntil = Math.max(this.#quietUntil, performance.now() + waitMs);
    if (waitMs > longestWaitMs || tries >= mostTries) throw failure;
    await waited(waitMs, signal);
  }

  /** Before something is asked again that met trouble, longer each time. */
  async pause(failure: ExhibitError, tries: number, signal: AbortSignal): Promise<void> {
    await waitedAfter(failure, firstPauseMs, tries, signal);
  }

  /** For how long no further upload may begin. */
  #fullMs(now: number): number {
    while ((this.#uploads[0] ?? now) <= now - minuteMs) this.#uploads.shift();
    const oldest = this.#uploads[this.#uploads.length - this.#uploadsPerMinute];
    return oldest === undefined ? 0 : oldest + minuteMs - now;
  }
}

/**
 * Waits before something is tried again: up to `firstMs`, doubled so many times, and at least as long as Box asks for.
 *
 * @throws ExhibitError `failure` where Box asks for more than a minute; the signal's reason
 */
export async function waitedAfter(
  failure: ExhibitError,
  firstMs: number,
  doublings: number,
  signal: AbortSignal,
): Promise<void> {
  const asked = askedMs(failure);
  if (asked > longestWaitMs) throw failure;
  await waited(Math.max(asked, jitteredMs(firstMs, doublings)), signal);
}

/** Waits. @throws the signal's reason */
export async function waited(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}
