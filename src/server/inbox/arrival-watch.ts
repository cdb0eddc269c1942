import type { Kysely } from "kysely";
import type { Tables } from "../database/tables.ts";
import { latestArrival } from "./arrivals.ts";

/** How soon an arrival is noticed, whichever process of whichever server has written it down. */
const lookMs = 500;

/** Tells those who wait when something has landed. Looks only while somebody waits. */
export class ArrivalWatch {
  readonly #database: Kysely<Tables>;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #latest = 0;

  constructor(database: Kysely<Tables>) {
    this.#database = database;
  }

  /** Settles when something has landed behind `after`, or after `mostMs`, or when `signal` is aborted. */
  async next(after: number, mostMs: number, signal: AbortSignal): Promise<void> {
    if (this.#latest > after || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(limit);
        signal.removeEventListener("abort", wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const limit = setTimeout(wake, mostMs);
      limit.unref();
      signal.addEventListener("abort", wake);
      this.#waiting.add(wake);
      this.#look();
    });
  }

  #look(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      void this.#lookOnce().finally(() => {
        this.#timer = undefined;
        if (this.#waiting.size > 0) this.#look();
      });
    }, lookMs);
    this.#timer.unref();
  }

  async #lookOnce(): Promise<void> {
    try {
      const latest = await latestArrival(this.#database);
      if (latest === this.#latest) return;
      this.#latest = latest;
      for (const wake of [...this.#waiting]) wake();
    } catch {
      // The database is being closed, or busy: those who wait look for themselves with their next beat.
    }
  }
}
