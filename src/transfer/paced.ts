import type { Clock } from "../evidence/ports/clock.ts";
import type { Pace } from "../evidence/ports/pace.ts";
import { limitAt, type Limit, type Timetable } from "../evidence/timetable.ts";
import { pause } from "./pause.ts";

const minuteMs = 60_000;
const largestStride = 256 * 1024;
const smallestStride = 4 * 1024;

/** What may be saved up while nothing moves, in seconds of the limit. */
const burstSeconds = 0.25;

/**
 * Keeps all transfers of a process together under the limit of a timetable. A limit that ends or begins in the middle of a
 * transfer counts from that minute on.
 *
 * @param timeZone - IANA name; left out, the machine's own
 */
export class Paced implements Pace {
  readonly #timetable: Timetable;
  readonly #clock: Clock;
  readonly #timeZone: string | undefined;
  #limit: Limit = "off";
  #limitUntil = -Infinity;
  /** Bytes that may move now; below nothing after a stride that went beyond. */
  #allowance = 0;
  #countedAt = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(timetable: Timetable, clock: Clock, timeZone?: string) {
    this.#timetable = timetable;
    this.#clock = clock;
    this.#timeZone = timeZone;
  }

  get strideBytes(): number {
    const limit = this.#limitNow();
    if (limit === "off") return largestStride;
    return Math.min(largestStride, Math.max(smallestStride, Math.round(limit / 8)));
  }

  wait(bytes: number, signal: AbortSignal): Promise<void> {
    const mine = this.#turn.then(() => this.#wait(bytes, signal));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #wait(bytes: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const limit = this.#limitNow();
      const now = this.#clock.now().getTime();
      if (limit === "off") {
        this.#countedAt = now;
        this.#allowance = 0;
        return;
      }
      const saved = this.#allowance + (Math.max(0, now - this.#countedAt) / 1000) * limit;
      this.#allowance = Math.min(saved, limit * burstSeconds);
      this.#countedAt = now;
      if (this.#allowance >= 0) {
        this.#allowance -= bytes;
        return;
      }
      const waitMs = Math.ceil((-this.#allowance / limit) * 1000);
      await pause(Math.min(waitMs, this.#limitUntil - now), signal);
    }
  }

  /** Entries begin on whole minutes, so that within one the limit stays. */
  #limitNow(): Limit {
    const now = this.#clock.now();
    const ms = now.getTime();
    // A clock that was set back must not leave an old limit standing.
    if (ms >= this.#limitUntil || ms < this.#limitUntil - minuteMs) {
      this.#limit = limitAt(this.#timetable, now, this.#timeZone);
      this.#limitUntil = (Math.floor(ms / minuteMs) + 1) * minuteMs;
    }
    return this.#limit;
  }
}
