import type { FileHandle } from "node:fs/promises";
import type { HashedPart } from "../../evidence/ports/store.ts";

const line = /^(\+|-) ([0-9]{1,16}) ([0-9]{1,10}) ([0-9a-f]{64})$/;

/**
 * Which parts of an upload are durable: an append-only text, `+ offset length sha256` when a part has been
 * flushed, `- offset length sha256` when it was found spoilt. Each entry has a line feed on both sides, so that one
 * torn by a crash is dropped and never spoils the next; several processes may append at once.
 * An object remembers how far it has read and only reads on.
 */
export class PartsLog {
  readonly #parts = new Map<number, HashedPart>();
  /** Ascending; parts never overlap. */
  readonly #offsets: number[] = [];
  #readBytes = 0;
  #contiguousBytes = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** How many parts there are. */
  get size(): number {
    return this.#parts.size;
  }

  /** A part that shares bytes with the range, as of the last {@link refresh}. */
  within({ offset, length }: { offset: number; length: number }): HashedPart | undefined {
    const behind = this.#firstFrom(offset + length);
    const last = this.#parts.get(this.#offsets[behind - 1] ?? -1);
    return last !== undefined && last.offset + last.length > offset ? last : undefined;
  }

  /** All parts, in order of offset. */
  parts(): HashedPart[] {
    return this.#offsets.flatMap((offset) => this.#parts.get(offset) ?? []);
  }

  /** How many bytes from the start are there without a gap. */
  get contiguousBytes(): number {
    return this.#contiguousBytes;
  }

  /** Reads what this or another process has appended since. */
  refresh(log: FileHandle): Promise<void> {
    const turn = this.#turn.then(() => this.#readOn(log));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #readOn(log: FileHandle): Promise<void> {
    const { size } = await log.stat();
    const buffer = Buffer.alloc(Math.max(0, size - this.#readBytes));
    const { bytesRead } = await log.read(buffer, 0, buffer.byteLength, this.#readBytes);
    const whole = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
    for (const entry of buffer.subarray(0, whole).toString("latin1").split("\n")) this.#take(entry);
    this.#readBytes += whole;
    for (
      let next = this.#parts.get(this.#contiguousBytes);
      next !== undefined;
      next = this.#parts.get(this.#contiguousBytes)
    ) {
      this.#contiguousBytes += next.length;
    }
  }

  /**
   * Appends one durable part, in one write, and flushes it. `log` is opened for appending. What could not be flushed is taken
   * back, so that nobody who reads the log takes it for durable.
   */
  async add(log: FileHandle, part: HashedPart): Promise<void> {
    try {
      await append(log, "+", part);
    } catch (error) {
      await append(log, "-", part).catch(() => undefined);
      throw error;
    }
    await this.refresh(log);
  }

  /** Takes a part back, because its bytes on the disk are no longer the ones that were acknowledged. */
  async drop(log: FileHandle, part: HashedPart): Promise<void> {
    await append(log, "-", part);
    await this.refresh(log);
  }

  #take(entry: string): void {
    const [, sign, offset, length, sha256] = line.exec(entry) ?? [];
    if (offset === undefined || length === undefined || sha256 === undefined) return;
    const part = { offset: Number(offset), length: Number(length), sha256 };
    if (sign === "+") {
      if (!this.#parts.has(part.offset)) {
        this.#offsets.splice(this.#firstFrom(part.offset), 0, part.offset);
      }
      this.#parts.set(part.offset, part);
    } else if (this.#parts.get(part.offset)?.sha256 === sha256) {
      this.#parts.delete(part.offset);
      this.#offsets.splice(this.#firstFrom(part.offset), 1);
      this.#contiguousBytes = Math.min(this.#contiguousBytes, part.offset);
    }
  }

  /** Where in the order the first part at `offset` or behind it stands. */
  #firstFrom(offset: number): number {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#offsets[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

async function append(log: FileHandle, sign: "+" | "-", part: HashedPart): Promise<void> {
  await log.appendFile(`\n${sign} ${part.offset} ${part.length} ${part.sha256}\n`, "latin1");
  await log.datasync();
}
