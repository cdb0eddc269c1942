const smallest = 64 * 1024;

/** What is kept for the next body, at most: as much as one sender has in flight with 8 parts of 16 MiB. */
const keptBytes = 128 * 1024 * 1024;

/**
 * Buffers of bodies that have been worked on, used again for the next ones: a fresh one costs more, in pages that the
 * system has to clear and in memory that has to be given back, than receiving into it.
 */
export class SpareBuffers {
  readonly #free = new Map<number, Buffer[]>();
  #keptBytes = 0;

  /** A buffer of at least `bytes`; what is in it is not defined. */
  take(bytes: number): Buffer {
    const size = sizeFor(bytes);
    const spare = this.#free.get(size)?.pop();
    if (spare === undefined) return Buffer.allocUnsafeSlow(size);
    this.#keptBytes -= size;
    return spare;
  }

  /** Hands a buffer back; nobody may use it afterwards. */
  give(buffer: Buffer): void {
    const size = buffer.byteLength;
    if (this.#keptBytes + size > keptBytes) return;
    this.#keptBytes += size;
    const same = this.#free.get(size) ?? [];
    this.#free.set(size, same);
    same.push(buffer);
  }
}

/** Powers of two, so that bodies of many lengths share few sizes. */
function sizeFor(bytes: number): number {
  return Math.max(smallest, 2 ** Math.ceil(Math.log2(Math.max(1, bytes))));
}
