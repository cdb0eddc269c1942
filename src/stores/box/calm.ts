import { setTimeout as pause } from "node:timers/promises";
import { ExhibitError } from "../../evidence/errors.ts";

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
    const asked = Number(failure.facts["retryAfterSeconds"] ?? 0) * 1000;
    const waitMs = Math.max(asked, firstPauseMs * Math.random());
    this.#quietUntil = Math.max(this.#quietUntil, performance.now() + waitMs);
    if (waitMs > longestWaitMs || tries >= mostTries) throw failure;
    await waited(waitMs, signal);
  }

  /** Before something is asked again that met trouble, longer each time. */
  async pause(failure: ExhibitError, tries: number, signal: AbortSignal): Promise<void> {
    const asked = Number(failure.facts["retryAfterSeconds"] ?? 0) * 1000;
    if (asked > longestWaitMs) throw failure;
    await waited(Math.max(asked, Math.random() * firstPauseMs * 2 ** tries), signal);
  }

  /** For how long no further upload may begin. */
  #fullMs(now: number): number {
    while ((this.#uploads[0] ?? now) <= now - minuteMs) this.#uploads.shift();
    const oldest = this.#uploads[this.#uploads.length - this.#uploadsPerMinute];
    return oldest === undefined ? 0 : oldest + minuteMs - now;
  }
}

/** Waits. @throws the signal's reason */
export async function waited(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}
