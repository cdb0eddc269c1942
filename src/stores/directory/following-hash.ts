import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { ExhibitError } from "../../evidence/errors.ts";

const blockBytes = 1024 * 1024;

/** Blocks used again: each part is read back by itself, and a fresh block costs more than reading into it. */
const spare: Buffer[] = [];
const mostSpare = 4;

/**
 * The SHA-256 of a file that is still growing: reads back from the disk what has arrived without a gap, so that
 * little is left to read when the last part is there. Lives in one process; another one reads from the start.
 */
export class FollowingHash {
  readonly #file: string;
  readonly #hash = createHash("sha256");
  #position = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /** Reads on up to `end`. One reader at a time; what an aborted one has read stays read. */
  readTo(end: number, signal: AbortSignal, onRead?: (position: number) => void): Promise<void> {
    const turn = this.#turn.then(() => this.#read(end, signal, onRead));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** The digest of the first `end` bytes, which nothing may have been read beyond. */
  async digestOf(
    end: number,
    signal: AbortSignal,
    onRead?: (position: number) => void,
  ): Promise<string> {
    await this.readTo(end, signal, onRead);
    return this.#hash.copy().digest("hex");
  }

  async #read(
    end: number,
    signal: AbortSignal,
    onRead: ((position: number) => void) | undefined,
  ): Promise<void> {
    if (this.#position >= end) return;
    signal.throwIfAborted();
    const handle = await open(this.#file, "r");
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
    try {
      while (this.#position < end) {
        signal.throwIfAborted();
        const want = Math.min(blockBytes, end - this.#position);
        const { bytesRead } = await handle.read(buffer, 0, want, this.#position);
        if (bytesRead === 0) {
          throw new ExhibitError(
            "integrity.mismatch",
            "A file in the store is shorter than it was.",
            {
              facts: { expectedBytes: end, foundBytes: this.#position },
            },
          );
        }
        this.#hash.update(buffer.subarray(0, bytesRead));
        this.#position += bytesRead;
        onRead?.(this.#position);
      }
    } finally {
      if (spare.length < mostSpare) spare.push(buffer);
      await handle.close();
    }
  }
}

/** The SHA-256 of a file's first `sizeBytes`, read block by block. */
export function hashFile(file: string, sizeBytes: number, signal: AbortSignal): Promise<string> {
  return new FollowingHash(file).digestOf(sizeBytes, signal);
}
