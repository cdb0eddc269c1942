import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { S3Answer, S3Bucket, S3Request, SignedAddress } from "../bucket.ts";
import { failureOf } from "../failures.ts";
import { uploadIdIn } from "./answers.ts";
import { isDone } from "./done.ts";
import { isFine } from "./reaction.ts";
import type { Version } from "./version.ts";

/** Where checks put what they try: a folder in the store's own prefix, each check in one of its own. */
export const scratchFolder = ".exhibit-check";

type Headers = Readonly<Record<string, string>>;

/** A body with what is said about it. */
interface Said {
  readonly headers?: Headers;
  readonly sha256?: string;
}

/** The part of a bucket that one check may write to, and what it may have left there. */
export class Scratch {
  readonly bucket: S3Bucket;
  readonly signal: AbortSignal;
  /** All keys begin with this. */
  readonly prefix: string;
  /** Keys that may hold something. */
  readonly keys = new Set<string>();
  /** Keys by the id of the upload that was begun for them. */
  readonly uploads = new Map<string, string>();
  /** Versions that may be on legal hold. */
  readonly held: Version[] = [];
  #lock: () => Headers = () => ({});
  #aheadMs = 0;

  constructor(bucket: S3Bucket, signal: AbortSignal) {
    this.bucket = bucket;
    // A signal of its own: races have more listeners on it than Node thinks healthy.
    this.signal = AbortSignal.any([signal]);
    setMaxListeners(0, this.signal);
    const { prefix } = bucket.address;
    const own = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
    this.prefix = `${own}${scratchFolder}/${randomBytes(6).toString("hex")}/`;
  }

  /** The time by the store's clock, as of its last answer. */
  now(): Date {
    return new Date(Date.now() + this.#aheadMs);
  }

  key(name: string): string {
    return `${this.prefix}${name}`;
  }

  /** From now on each PUT is locked by these headers. */
  lockEachPut(headers: () => Headers): void {
    this.#lock = headers;
  }

  /** Remembers that this version must be released before it can be removed. */
  willHold(version: Version): void {
    this.held.push(version);
  }

  /** One request. @throws ExhibitError `unavailable.*`, also for an answer that means "try later" */
  async send(request: S3Request): Promise<S3Answer> {
    return this.#unlessLater(await this.bucket.send(request, this.signal));
  }

  /** One request that was signed before, as one without keys makes it. @throws as {@link send} */
  async putTo(signed: SignedAddress, body: Uint8Array): Promise<S3Answer> {
    return this.#unlessLater(await this.bucket.putTo(signed, body, this.signal));
  }

  #unlessLater(answer: S3Answer): S3Answer {
    if ([429, 500, 502, 503, 504].includes(answer.status)) throw failureOf(answer);
    const date = Date.parse(answer.headers["date"] ?? "");
    if (!Number.isNaN(date)) this.#aheadMs = date - Date.now();
    return answer;
  }

  put(key: string, body: Uint8Array, said: Said = {}): Promise<S3Answer> {
    this.keys.add(key);
    const headers = { ...this.#lock(), ...said.headers };
    return this.send({ ...said, method: "PUT", key, body, headers });
  }

  /** Begins an upload in parts. @throws as {@link failureOf} where there are none */
  async begin(key: string, headers: Headers = {}): Promise<string> {
    this.keys.add(key);
    const answer = await this.send({ method: "POST", key, query: { uploads: "" }, headers });
    const id = uploadIdIn(answer);
    if (!isFine(answer) || id === undefined) throw failureOf(answer);
    this.uploads.set(id, key);
    return id;
  }

  putPart(key: string, uploadId: string, body: Uint8Array, said: Said = {}): Promise<S3Answer> {
    const query = { partNumber: "1", uploadId };
    return this.send({ ...said, method: "PUT", key, query, body });
  }

  /** Completes an upload of one part. */
  async complete(
    key: string,
    uploadId: string,
    etag: string,
    headers: Headers = {},
  ): Promise<S3Answer> {
    const part = `<Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part>`;
    const body = Buffer.from(`<CompleteMultipartUpload>${part}</CompleteMultipartUpload>`);
    const answer = await this.send({ method: "POST", key, query: { uploadId }, headers, body });
    if (isDone(answer)) this.uploads.delete(uploadId);
    return answer;
  }

  /** Stores a body as one part; gives the answer to completing it. @throws as {@link failureOf} for what comes before */
  async storeInParts(
    key: string,
    body: Uint8Array,
    headers: { readonly begin?: Headers; readonly complete?: Headers } = {},
  ): Promise<S3Answer> {
    const uploadId = await this.begin(key, headers.begin);
    const part = await this.putPart(key, uploadId, body);
    if (!isFine(part)) throw failureOf(part);
    return this.complete(key, uploadId, part.headers["etag"] ?? "", headers.complete);
  }
}
