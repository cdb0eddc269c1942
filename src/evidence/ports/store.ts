import type { Readable } from "node:stream";
import type { WholeDigests } from "../digest.ts";
import type { Kept, StoreCheck } from "../kept.ts";
import type { Proof } from "../proof.ts";
import type { Retention } from "../retention.ts";

/** What a store can do, read before a transfer starts. A value, so that nothing is found out half-way. */
export interface Capabilities {
  /** Limits on parts. */
  readonly parts: {
    /** `one`: all parts but the last have the upload's `partBytes`. `any`: a part may be shorter, anywhere. */
    readonly lengths: "one" | "any";
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly maxParts: number;
  };
  /** Largest body of one `put`. */
  readonly maxPutBytes: number;
  /** The shortest file that can be uploaded in parts; a shorter one goes by `put`. */
  readonly minUploadBytes: number;
  readonly maxObjectBytes: number;
  /** The proof that `complete` and `put` reach at least. */
  readonly proof: Proof;
  /** `complete` has the store compare the SHA-1 of the whole, too. */
  readonly comparesSha1: boolean;
  /** Writing a key that exists is refused by the store itself, atomically. */
  readonly refusesOverwrite: boolean;
  /** References can be allotted without a race. */
  readonly allotsReferences: boolean;
  /** What `retain` can do. */
  readonly retention: { readonly period: boolean; readonly legalHold: boolean };
  /** What the store was found to enforce, where it was tried out; for receipts. */
  readonly check?: StoreCheck;
}

/** An upload in progress: plain data, so that another process can go on with it. */
export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly sizeBytes: number;
  /** Length of every part but the last, or of the longest part (`Capabilities.parts.lengths`), fixed when the upload began. */
  readonly partBytes: number;
}

/** An upload that someone began and has not finished, as its owner may see it. */
export interface UnfinishedUpload extends Upload {
  readonly startedAt: string;
  readonly receivedBytes: number;
  /** When the store will forget it, where it ever does. */
  readonly expiresAt: string | undefined;
}

/** A place in the file, and what lies there. */
export interface HashedPart {
  readonly offset: number;
  readonly length: number;
  readonly sha256: string;
}

/** What a store knows of a part that it holds. Not each one knows its SHA-256. */
export interface StoredPart {
  readonly offset: number;
  readonly length: number;
  readonly digest: { readonly algorithm: "sha256" | "sha1" | "md5"; readonly hex: string };
}

export interface Part extends HashedPart {
  /** Exactly `length` bytes; not changed by anyone until `putPart` settles. */
  readonly bytes: Uint8Array;
  /** Worked out as soon as it was read, where `Capabilities.comparesSha1` says so. */
  readonly sha1?: string;
}

export interface Stored {
  readonly key: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly proof: Proof;
  /** Of the very object that was proved. Absent where the store keeps no digest of its own. */
  readonly kept?: Kept;
}

export interface KeyStat {
  readonly key: string;
  readonly sizeBytes: number;
}

/** What a store says of a key without reading its bytes. */
export interface Told extends KeyStat {
  /** Absent where the store keeps no digest of its own: such content is only known by reading it. */
  readonly kept?: Kept;
}

export interface ByteRange {
  /** First byte. */
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

/**
 * A content store: keys and bytes. It knows nothing of exhibits. Each store passes `test/contracts/store.ts`.
 *
 * Errors of all members: `unavailable.store` where a later try may work, `unavailable.no-space`,
 * `auth.*`, `policy.*`; all stop when `signal` is aborted.
 */
export interface Store {
  /** For people and receipts; never holds a secret. */
  readonly url: string;
  readonly capabilities: Capabilities;

  /**
   * Stores `bytes` under `key` in one request; visible whole or not at all, durable when it returns.
   *
   * @throws `conflict.exists` when the key holds other bytes (the same bytes again succeed); `integrity.mismatch`
   */
  put(key: string, bytes: Uint8Array, sha256: string, signal: AbortSignal): Promise<Stored>;

  /**
   * Begins an upload, or finds the caller's unfinished one of the same key and size: the store, too, keeps an
   * upload's identity, so that a machine that lost its state goes on where it was.
   *
   * @throws `conflict.exists` when the key is taken; `unavailable.no-space` when the size cannot fit; `policy.too-large`;
   * `usage.invalid` below `capabilities.minUploadBytes`
   */
  begin(key: string, sizeBytes: number, partBytes: number, signal: AbortSignal): Promise<Upload>;

  /**
   * Stores one part; durable when it returns. The same part again succeeds.
   *
   * @throws `conflict.part-differs` when other bytes lie at its offset; `integrity.mismatch` when bytes and
   * digest disagree; `not-found.upload`
   */
  putPart(upload: Upload, part: Part, signal: AbortSignal): Promise<void>;

  /** The parts that are durable, in order of offset: the truth to resume from. @throws `not-found.upload` */
  listParts(upload: Upload, signal: AbortSignal): Promise<StoredPart[]>;

  /**
   * Proves the whole against its digests as far as the store can and makes it visible under its key, all at once
   * and without overwriting. Repeating it after a lost reply succeeds. `onProved` is told now and then how many bytes
   * the store has read.
   *
   * @throws `integrity.mismatch` (nothing becomes visible), `conflict.exists`, `not-found.upload`
   */
  complete(
    upload: Upload,
    whole: WholeDigests,
    signal: AbortSignal,
    onProved?: (provedBytes: number) => void,
  ): Promise<Stored>;

  /**
   * Has the store keep a finished key as is asked, or for longer and more strictly where it does so already: nothing is ever
   * shortened or lifted. Gives what the store shows of it afterwards, which may be less than was asked. Repeating it succeeds.
   *
   * @throws `not-found.content`; `policy.unsupported` where `capabilities.retention` says so, with nothing sent; `policy.*` when the
   * store refuses; `integrity.mismatch` when the object is another one afterwards
   */
  retain(key: string, asked: Retention, signal: AbortSignal): Promise<Retention>;

  /** Forgets an unfinished upload and frees its space. What is not there is not an error. */
  abort(upload: Upload, signal: AbortSignal): Promise<void>;

  /** The caller's unfinished uploads, oldest first. */
  uploads(signal: AbortSignal): Promise<UnfinishedUpload[]>;

  /** What lies under a key now; undefined where nothing does. */
  stat(key: string, signal: AbortSignal): Promise<Told | undefined>;

  /** Finished keys that start with `prefix`, in key order. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<KeyStat>;

  /** The bytes of `key`, or of a range of it. A stream that ends early fails, it never just ends. @throws `not-found.content` */
  open(key: string, range: ByteRange | undefined, signal: AbortSignal): Promise<Readable>;
}
