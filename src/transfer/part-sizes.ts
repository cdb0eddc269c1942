/** What a part should take: long enough that its round trip does not count, short enough that little is lost with it. */
const aimMs = 4000;

const firstBytes = 1024 * 1024;
const leastBytes = 64 * 1024;

/**
 * How long parts shall be, so that each takes seconds on a slow line as on a fast one: learnt from how long the last
 * ones took. From 64 KiB up to what was asked for; at most doubled or halved by each part.
 */
export class PartSizes {
  #most: number;
  #now: number;

  /** @param most - the size asked for with `--part-size`; no part is longer */
  constructor(most: number) {
    this.#most = most;
    this.#now = Math.min(most, firstBytes);
  }

  /** The longest that a part may be, in bytes. */
  get most(): number {
    return this.#most;
  }

  /** The length that the next part should have, in bytes. */
  get now(): number {
    return this.#now;
  }

  /** A part of `bytes` took `ms`. A short one, such as a file's end, says nothing of longer ones. */
  sent(bytes: number, ms: number): void {
    if (bytes < this.#now / 2) return;
    const wanted = (bytes / Math.max(1, ms)) * aimMs;
    this.#set(Math.min(this.#now * 2, Math.max(this.#now / 2, wanted)));
  }

  /** Something on the way takes no request as long as `bytes`, or not the time that it needs: none will be as long again. */
  refused(bytes: number): void {
    this.#most = Math.max(Math.min(leastBytes, this.#most), Math.min(this.#most, bytes / 2));
    this.#set(this.#now);
  }

  #set(bytes: number): void {
    this.#now = Math.round(Math.min(this.#most, Math.max(Math.min(leastBytes, this.#most), bytes)));
  }
}
