import { totalmem } from "node:os";
import { ExhibitError } from "../../evidence/errors.ts";

const mib = 1024 * 1024;

/** For the bodies that one room receives: an eighth of the memory, 128 to 512 MiB. */
export const memoryForBodies = Math.max(128 * mib, Math.min(512 * mib, totalmem() / 8));

/** How long a body waits for memory before its sender is asked to come again. */
const patienceMs = 20_000;

interface Waiting {
  readonly sender: string;
  readonly bytes: number;
  readonly go: () => void;
}

/**
 * Bounds the memory that bodies take while they are received: a body that does not fit waits, unread, so that TCP holds
 * its sender back. In order of arrival, but no sender has more than its share, a quarter of all, and one that has waits
 * without holding up others: a few bodies that never come to their end shut out nobody else.
 */
export class BytesInFlight {
  readonly #limit: number;
  readonly #share: number;
  readonly #queue: Waiting[] = [];
  readonly #takenBy = new Map<string, number>();
  #taken = 0;

  /** @param largest - the largest body there is, which a share always has room for */
  constructor(limit: number, largest: number) {
    this.#limit = limit;
    this.#share = Math.max(limit / 4, largest);
  }

  /**
   * Runs `work` while `bytes` of the memory are the sender's own.
   *
   * @throws ExhibitError `unavailable.busy` after 20 s of waiting; the signal's reason
   */
  async hold<T>(
    sender: string,
    bytes: number,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> {
    await this.#wait(sender, bytes, signal);
    try {
      return await work();
    } finally {
      this.#count(sender, -bytes);
      this.#next();
    }
  }

  #wait(sender: string, bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = (reason: Error): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", stopped);
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        reject(reason);
        this.#next();
      };
      const stopped = (): void => {
        leave(signal.reason as Error);
      };
      const timer = setTimeout(leave, patienceMs, busy());
      const waiting: Waiting = {
        sender,
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
      let next = this.#firstInShare();
      next !== undefined && (this.#taken === 0 || this.#taken + next.bytes <= this.#limit);
      next = this.#firstInShare()
    ) {
      this.#queue.splice(this.#queue.indexOf(next), 1);
      this.#count(next.sender, next.bytes);
      next.go();
    }
  }

  #firstInShare(): Waiting | undefined {
    return this.#queue.find(
      ({ sender, bytes }) => (this.#takenBy.get(sender) ?? 0) + bytes <= this.#share,
    );
  }

  #count(sender: string, bytes: number): void {
    this.#taken += bytes;
    const taken = (this.#takenBy.get(sender) ?? 0) + bytes;
    if (taken === 0) this.#takenBy.delete(sender);
    else this.#takenBy.set(sender, taken);
  }
}

function busy(): ExhibitError {
  return new ExhibitError("unavailable.busy", "The server is receiving as much as it can.", {
    hint: "Try again in a moment.",
  });
}
