import type { AdaptiveConcurrency } from "./concurrency.ts";

/**
 * The part buffers of all transfers of one command, reused: whoever wants to send a part waits for one. Memory:
 * `--concurrency` parts, however many files are on their way.
 */
export class PartBuffers {
  readonly #concurrency: AdaptiveConcurrency;
  readonly #bytes: number;
  readonly #free: Buffer[] = [];
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(concurrency: AdaptiveConcurrency, bytes: number) {
    this.#concurrency = concurrency;
    this.#bytes = bytes;
  }

  /** A buffer of at least `bytes`, in order of asking. @throws the signal's reason */
  async take(bytes: number, signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted();
    if (this.#taken < this.#concurrency.now) {
      this.#taken += 1;
    } else {
      await this.#turn(signal);
    }
    const free = this.#free.pop();
    // A store that needs larger parts than were asked for gets larger buffers.
    return free !== undefined && free.length >= bytes
      ? free
      : Buffer.allocUnsafeSlow(Math.max(bytes, this.#bytes));
  }

  /** Hands a buffer back; nobody may touch it afterwards. */
  give(buffer: Buffer): void {
    this.#free.push(buffer);
    this.#taken -= 1;
    while (this.#taken < this.#concurrency.now) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#taken += 1;
      next();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(go);
    });
  }
}
