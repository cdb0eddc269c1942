import type { Clock } from "../../src/evidence/ports/clock.ts";

/** The system's clock, which a test can put forward and back. */
export class MovingClock implements Clock {
  aheadMs = 0;

  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }

  /** Runs `job` as if it were `ms` later. */
  async later<T>(ms: number, job: () => Promise<T>): Promise<T> {
    this.aheadMs += ms;
    try {
      return await job();
    } finally {
      this.aheadMs -= ms;
    }
  }
}
