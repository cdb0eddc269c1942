import { totalmem } from "node:os";
import { ExhibitError } from "../../evidence/errors.ts";

const mib = 1024 * 1024;

/** For the bodies that one room receives: an eighth of the memory, 128 to 512 MiB. */
export const memoryForBodies = Math.max(128 * mib, Math.min(512 * mib, totalmem() / 8));

/** How long a body waits for memory before its sender is asked to come again. */
const patienceMs = 20_000;

interface Waiting {
  readonly bytes: number;
  readonly go: () => void;
}

/**
 * Bounds the memory that bodies take while they are received: a body that does not fit waits, unread, so that TCP holds
 * its sender back. In order of arrival.
 */
export class BytesInFlight {
  readonly #limit: number;
  readonly #queue: Waiting[] = [];
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Runs `work` while `bytes` of the memory are its own.
   *
   * @throws ExhibitError `unavailable.busy` after 20 s of waiting; the signal's reason
   */
  async hold<T>(bytes: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#take(bytes, signal);
    try {
      return await work();
    } finally {
      this.#taken -= bytes;
      this.#next();
    }
  }

  #take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (reason: Error): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", stopped);
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        reject(reason);
      };
      const stopped = (): void => {
        leave(signal.reason as Error);
      };
      const timer = setTimeout(leave, patienceMs, busy());
      const waiting: Waiting = {
        bytes,
        go: () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", stopped);
          resolve();
        },
      };
      signal.addEventListener("abort", stopped);
      this.#queue.push(waiting);
      this.#next();
    });
  }

  #next(): void {
    for (
      let first = this.#queue[0];
      first !== undefined && (this.#taken === 0 || this.#taken + first.bytes <= this.#limit);
      first = this.#queue[0]
    ) {
      this.#queue.shift();
      this.#taken += first.bytes;
      first.go();
    }
  }
}

function busy(): ExhibitError {
  return new ExhibitError("unavailable.busy", "The server is receiving as much as it can.", {
    hint: "Try again in a moment.",
  });
}
