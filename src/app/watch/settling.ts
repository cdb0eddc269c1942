import type { SourceEntry } from "../../evidence/ports/source.ts";

interface Watched {
  version: string;
  sinceMs: number;
  readonly firstMs: number;
  isToldOf: boolean;
}

/**
 * Which files have stayed what they are for long enough. A change of size, time, inode or place in the folder begins anew; so does a
 * look at which another program had the file open for writing.
 */
export class Settling {
  readonly #settleMs: number;
  readonly #patienceMs: number;
  #files = new Map<string, Watched>();

  /** `patienceMs`: whoever is written to for longer is told of, once. */
  constructor(settleMs: number, patienceMs: number) {
    this.#settleMs = settleMs;
    this.#patienceMs = patienceMs;
  }

  /** Forgets what is not there any more. */
  begin(there: readonly SourceEntry[]): void {
    const locations = new Set(there.map(({ location }) => location));
    this.#files = new Map([...this.#files].filter(([location]) => locations.has(location)));
  }

  /** @returns "settled", "waiting", or once "never" for a file that does not come to rest */
  look(
    { location, version }: SourceEntry,
    isBeingWritten: boolean,
    nowMs: number,
  ): "settled" | "waiting" | "never" {
    let file = this.#files.get(location);
    if (file === undefined) {
      file = { version, sinceMs: nowMs, firstMs: nowMs, isToldOf: false };
      this.#files.set(location, file);
    }
    if (file.version !== version || isBeingWritten) {
      file.version = version;
      file.sinceMs = nowMs;
    }
    if (!isBeingWritten && nowMs - file.sinceMs >= this.#settleMs) return "settled";
    if (file.isToldOf || nowMs - file.firstMs < this.#patienceMs) return "waiting";
    file.isToldOf = true;
    return "never";
  }
}
