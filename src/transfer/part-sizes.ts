/** How long parts shall be: as long as was asked for. */
export class PartSizes {
  readonly #most: number;

  /** @param most - the size asked for with `--part-size`; no part is longer */
  constructor(most: number) {
    this.#most = most;
  }

  /** The length that the next part should have, in bytes. */
  get now(): number {
    return this.#most;
  }
}
