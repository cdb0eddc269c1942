import { ExhibitError } from "../../evidence/errors.ts";
import type { Upload } from "../../evidence/ports/store.ts";
import { FollowingHash } from "./following-hash.ts";
import { PartsLog } from "./parts-log.ts";
import { contentOf } from "./unfinished.ts";

/** A run of bytes of a file. */
export interface ByteSpan {
  readonly offset: number;
  readonly length: number;
}

/**
 * What this process knows of an upload that it receives. Only a cache: everything in it can be read again from the
 * upload's folder, by this process or another.
 */
export class Receiving {
  readonly log = new PartsLog();
  readonly #content: string;
  readonly #stopped = new AbortController();
  readonly #writing = new Map<ByteSpan, Promise<unknown>>();
  #hash: FollowingHash;

  constructor(root: string, upload: Upload) {
    this.#content = contentOf(root, upload);
    this.#hash = new FollowingHash(this.#content);
  }

  /** Runs `work` on a span of the file while no other work of this process is on any byte of it. */
  async alone<T>(span: ByteSpan, work: () => Promise<T>): Promise<T> {
    for (let other = this.#onto(span); other !== undefined; other = this.#onto(span)) {
      await other.catch(() => undefined);
    }
    const mine = work();
    this.#writing.set(span, mine);
    try {
      return await mine;
    } finally {
      this.#writing.delete(span);
    }
  }

  #onto(span: ByteSpan): Promise<unknown> | undefined {
    for (const [other, work] of this.#writing) {
      const apart =
        other.offset + other.length <= span.offset || span.offset + span.length <= other.offset;
      if (!apart) return work;
    }
    return undefined;
  }

  /** Reads back, in the background, what lies there without a gap. */
  follow(): void {
    // A failure here is not lost: `digest` reads the same bytes again, and reports it.
    this.#hash.readTo(this.log.contiguousBytes, this.#stopped.signal).catch(() => undefined);
  }

  /** The digest of the whole, all parts being there. */
  digest(
    sizeBytes: number,
    signal: AbortSignal,
    onProved?: (provedBytes: number) => void,
  ): Promise<string> {
    const either = AbortSignal.any([signal, this.#stopped.signal]);
    return this.#hash.digestOf(sizeBytes, either, onProved);
  }

  /** Starts the hash again, after bytes below its position were found spoilt. */
  rewind(): void {
    this.#hash = new FollowingHash(this.#content);
  }

  /** Ends all reading: the upload is gone. */
  stop(): void {
    this.#stopped.abort(new ExhibitError("not-found.upload", "This upload was just ended."));
  }
}

/** Beyond this many uploads at once, the one longest unused is read again when it goes on. */
const remembered = 1000;

export class ReceivingCache {
  readonly #root: string;
  readonly #byId = new Map<string, Receiving>();

  constructor(root: string) {
    this.#root = root;
  }

  of(upload: Upload): Receiving {
    const found = this.#byId.get(upload.id) ?? new Receiving(this.#root, upload);
    this.#byId.delete(upload.id);
    this.#byId.set(upload.id, found);
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > remembered && oldest !== undefined) this.#byId.delete(oldest);
    return found;
  }

  forget(upload: Upload): void {
    this.#byId.get(upload.id)?.stop();
    this.#byId.delete(upload.id);
  }
}
