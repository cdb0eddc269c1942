import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";

/** Where a copy belongs and how fresh it is. */
export interface CopyName {
  readonly shareId: string;
  /** All that the copy depends on but the time. */
  readonly content: string;
  readonly at: Date;
}

/** Makes a copy in `folder`, which is its own and is removed afterwards. */
export type MakeCopy = (folder: string, signal: AbortSignal) => Promise<Buffer>;

export interface CopyShelfLimits {
  /** Of all copies together; the oldest go first. */
  readonly mostBytes: number;
  /** How old a copy may be when it is served again: the time burnt into it is then this old. */
  readonly freshMs: number;
}

interface Kept {
  readonly path: string;
  readonly sizeBytes: number;
  readonly at: number;
}

interface Making {
  readonly shareId: string;
  readonly done: Promise<Buffer>;
  readonly stop: AbortController;
  waiting: number;
}

/**
 * The copies made so far, in one folder a share. Two requests for one copy make it once; a copy that nobody waits
 * for any more is not made to its end.
 */
export class CopyShelf {
  readonly #folder: string;
  readonly #limits: CopyShelfLimits;
  readonly #kept = new Map<string, Kept>();
  readonly #making = new Map<string, Making>();
  readonly #forgetting = new Map<string, Promise<void>>();
  readonly #sweep: NodeJS.Timeout;

  constructor(folder: string, limits: CopyShelfLimits) {
    this.#folder = folder;
    this.#limits = limits;
    this.#sweep = setInterval(() => void this.#shrink(Date.now()), 60_000).unref();
  }

  has(name: CopyName): boolean {
    const id = idOf(name);
    return this.#making.has(id) || this.#fresh(id, name.at) !== undefined;
  }

  async get(name: CopyName, make: MakeCopy, signal: AbortSignal): Promise<Buffer> {
    await this.#forgetting.get(name.shareId);
    signal.throwIfAborted();
    const id = idOf(name);
    const kept = this.#fresh(id, name.at);
    if (kept !== undefined) {
      const bytes = await readFile(kept.path).catch(() => undefined);
      signal.throwIfAborted();
      if (bytes !== undefined) return bytes;
    }
    const making = this.#making.get(id) ?? this.#start(id, name, make);
    return waitFor(making, signal);
  }

  /** Stops what is being made for a share and removes its folder. */
  async forget(shareId: string): Promise<void> {
    const before = this.#forgetting.get(shareId);
    const done = this.#clear(shareId, before);
    this.#forgetting.set(shareId, done);
    try {
      await done;
    } finally {
      if (this.#forgetting.get(shareId) === done) this.#forgetting.delete(shareId);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    const shares = [...this.#making.values()].map(({ shareId }) => shareId);
    for (const id of this.#kept.keys()) shares.push(id.slice(0, id.indexOf("/")));
    await Promise.all([...new Set(shares)].map((shareId) => this.forget(shareId)));
  }

  #fresh(id: string, at: Date): Kept | undefined {
    const kept = this.#kept.get(id);
    const age = at.getTime() - (kept?.at ?? 0);
    return age >= 0 && age <= this.#limits.freshMs ? kept : undefined;
  }

  #start(id: string, name: CopyName, make: MakeCopy): Making {
    const stop = new AbortController();
    const done = this.#make(id, name, make, stop.signal).finally(() => {
      this.#making.delete(id);
    });
    // Whoever waits hears of a failure; when nobody does any more, it is not news.
    done.catch(() => undefined);
    const making: Making = { shareId: name.shareId, done, stop, waiting: 0 };
    this.#making.set(id, making);
    return making;
  }

  async #make(id: string, name: CopyName, make: MakeCopy, signal: AbortSignal): Promise<Buffer> {
    const share = join(this.#folder, name.shareId);
    await mkdir(share, { recursive: true, mode: 0o700 });
    const work = await mkdtemp(join(share, "work-"));
    try {
      const bytes = await make(work, signal);
      signal.throwIfAborted();
      const path = join(this.#folder, id);
      await writeFile(path, bytes, { mode: 0o600 });
      this.#kept.delete(id);
      this.#kept.set(id, { path, sizeBytes: bytes.length, at: name.at.getTime() });
      await this.#shrink(name.at.getTime());
      return bytes;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  async #clear(shareId: string, before: Promise<void> | undefined): Promise<void> {
    await before;
    const reason = new ExhibitError("not-found.share", "This share has ended.");
    const running = [...this.#making.values()].filter((making) => making.shareId === shareId);
    for (const making of running) making.stop.abort(reason);
    await Promise.allSettled(running.map(({ done }) => done));
    for (const id of this.#kept.keys()) if (id.startsWith(`${shareId}/`)) this.#kept.delete(id);
    await rm(join(this.#folder, shareId), { recursive: true, force: true });
  }

  /** Removes what is stale, and the oldest of what is too much. */
  async #shrink(now: number): Promise<void> {
    let bytes = 0;
    for (const kept of this.#kept.values()) bytes += kept.sizeBytes;
    for (const [id, kept] of this.#kept) {
      if (bytes <= this.#limits.mostBytes && now - kept.at <= this.#limits.freshMs) continue;
      bytes -= kept.sizeBytes;
      this.#kept.delete(id);
      await rm(kept.path, { force: true });
    }
  }
}

async function waitFor(making: Making, signal: AbortSignal): Promise<Buffer> {
  making.waiting += 1;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error("stopped"));
    };
    signal.addEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([making.done, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
    making.waiting -= 1;
    if (making.waiting === 0) making.stop.abort();
  }
}

/** A path below the shelf's folder. Share ids are ours, but they become a folder's name here, so they are looked at. */
function idOf(name: CopyName): string {
  if (!/^[A-Za-z0-9]{1,40}$/.test(name.shareId)) throw new RangeError("not a share id");
  return `${name.shareId}/${createHash("sha256").update(name.content).digest("hex")}`;
}
