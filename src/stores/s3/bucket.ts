import type { Readable } from "node:stream";
import type { S3Address } from "../../evidence/s3-address.ts";

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** The object's whole key (store prefix included), or undefined for the bucket itself. */
  readonly key: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
  /** Names in small letters. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** SHA-256 of the body in hex, signed as x-amz-content-sha256; worked out when left out. */
  readonly sha256?: string;
}

export interface S3Answer {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** An answer whose body is still coming. Read it, or destroy it. */
export interface S3Streamed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

/** A request that somebody else is to make, without keys: its address holds the signature, and is a secret. */
export interface SignedAddress {
  readonly url: string;
  /** What must go along, exactly so; names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A body that somebody else is to send. */
export interface Promised {
  /** The object's whole key. */
  readonly key: string;
  readonly query: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  /** SHA-256 of the body in hex. */
  readonly sha256: string;
}

/** Signed requests to one bucket, each made once; what comes back is returned, whatever its status. */
export interface S3Bucket {
  readonly address: S3Address;
  /** The key that objects are encrypted with, where the address says that we bring it along. */
  readonly customerKey: Buffer | undefined;
  /** One request, one answer. @throws ExhibitError `unavailable.*`, `auth.no-credentials`, `policy.insecure-address`; the signal's reason */
  send(request: S3Request, signal: AbortSignal): Promise<S3Answer>;
  /** As `send`, for content: the answer's body is a stream. */
  stream(request: S3Request, signal: AbortSignal): Promise<S3Streamed>;
  /** Signs a PUT of this one body, for so many seconds, by the engine's clock. @throws ExhibitError `auth.no-credentials` */
  presignPut(promised: Promised, lifeSeconds: number): Promise<SignedAddress>;
  /** Makes a request that was signed so, as one who has no keys does. @throws ExhibitError as `send` */
  putTo(signed: SignedAddress, body: Uint8Array, signal: AbortSignal): Promise<S3Answer>;
  close(): Promise<void>;
}
