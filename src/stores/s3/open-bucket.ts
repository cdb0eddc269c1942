import { Readable } from "node:stream";
import { request, type Dispatcher } from "undici";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import { originFor, s3Address, type S3Address } from "../../evidence/s3-address.ts";
import type { Network } from "../network.ts";
import { outgoing } from "../outgoing.ts";
import { unreachable } from "../unreachable.ts";
import { wholeAnswer } from "../whole-answer.ts";
import type {
  Promised,
  S3Answer,
  S3Bucket,
  S3Request,
  S3Streamed,
  SignedAddress,
} from "./bucket.ts";
import { keysOfThisComputer, type FindKeys } from "./credentials.ts";
import { amzDate, canonicalQuery, encoded, Signer } from "./signing.ts";
import { errorCodeIn } from "./failures.ts";

/** What a bucket needs of this machine. */
export interface S3Machine {
  readonly clock: Clock;
  readonly network: Network;
  /** 32 bytes in base64, for a store whose address says `sse=customer`. */
  readonly customerKey: string | undefined;
}

/** A store refuses what was signed more than 15 minutes off its own clock. */
const toleratedMs = 60_000;

/** Prepares to speak to a bucket; nothing is asked of it yet. @throws ExhibitError `usage.invalid`, `policy.insecure-address` */
export function openBucket(url: string, machine: S3Machine): S3Bucket {
  const address = s3Address(url);
  return new OpenBucket(address, machine, keysOfThisComputer(address, machine.network));
}

class OpenBucket implements S3Bucket {
  readonly address: S3Address;
  readonly customerKey: Buffer | undefined;
  readonly #origin: string;
  readonly #host: string;
  readonly #dispatcher: Dispatcher;
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #keys: FindKeys;
  readonly #signer: Signer;
  /** The store's clock minus ours, as far as it mattered. */
  #aheadMs = 0;

  constructor(address: S3Address, { clock, network, customerKey }: S3Machine, keys: FindKeys) {
    this.address = address;
    this.customerKey = address.sse === "customer" ? keyOf(customerKey) : undefined;
    this.#origin = originFor(address);
    this.#host = new URL(this.#origin).host;
    this.#dispatcher = network.route(this.#origin).dispatcher;
    this.#network = network;
    this.#clock = clock;
    this.#keys = keys;
    this.#signer = new Signer(address.region, "s3");
  }

  async send(sending: S3Request, signal: AbortSignal): Promise<S3Answer> {
    const answer = await this.#readAll(await this.#ask(sending, signal, false), signal);
    if (!this.#mayHelpToAskAgain(answer)) return answer;
    return this.#readAll(await this.#ask(sending, signal, true), signal);
  }

  async stream(sending: S3Request, signal: AbortSignal): Promise<S3Streamed> {
    const response = await this.#ask(sending, signal, false);
    if (response.statusCode < 300) return streamed(response);
    const answer = await this.#readAll(response, signal);
    if (this.#mayHelpToAskAgain(answer)) return streamed(await this.#ask(sending, signal, true));
    return { ...answer, body: Readable.from([answer.body]) };
  }

  async presignPut(
    { key, query, sizeBytes, sha256 }: Promised,
    lifeSeconds: number,
  ): Promise<SignedAddress> {
    const keys = await this.#keys();
    const path = this.#pathOf(key);
    const headers = {
      "content-length": String(sizeBytes),
      "x-amz-content-sha256": sha256,
      ...this.#owner(),
    };
    const search = this.#signer.presignedQuery(
      { method: "PUT", path, query, headers: { ...headers, host: this.#host }, payload: sha256 },
      keys,
      amzDate(this.#engineTime()),
      lifeSeconds,
    );
    return { url: `${this.#origin}${path}?${search}`, headers };
  }

  async putTo(
    { url, headers }: SignedAddress,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<S3Answer> {
    const response = await this.#request("PUT", url, headers, body, signal);
    return this.#readAll(response, signal);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #ask(
    { method, key, query = {}, headers = {}, body, sha256 }: S3Request,
    signal: AbortSignal,
    renew: boolean,
  ): Promise<Dispatcher.ResponseData> {
    signal.throwIfAborted();
    const keys = await this.#keys(renew);
    signal.throwIfAborted();
    const path = this.#pathOf(key);
    const search = canonicalQuery(query);
    const payload = sha256 ?? sha256Of(body ?? Buffer.alloc(0));
    const signed = {
      ...headers,
      host: this.#host,
      "x-amz-content-sha256": payload,
      "x-amz-date": amzDate(this.#engineTime()),
      ...(keys.sessionToken === undefined ? {} : { "x-amz-security-token": keys.sessionToken }),
      ...this.#owner(),
    };
    const authorization = this.#signer.authorization(
      { method, path, query: search, headers: signed, payload },
      keys,
    );
    const url = `${this.#origin}${path}${search === "" ? "" : `?${search}`}`;
    const hasLength = method === "PUT" || method === "POST";
    const length = hasLength ? { "content-length": String(body?.byteLength ?? 0) } : {};
    return this.#request(method, url, { ...signed, authorization, ...length }, body, signal);
  }

  async #request(
    method: S3Request["method"],
    url: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { pace, stallMs } = this.#network;
    const sends = body !== undefined && body.byteLength > 0;
    const out = outgoing(body ?? Buffer.alloc(0), { pace, stallMs, url }, signal);
    try {
      return await request(url, {
        method,
        headers,
        // undici takes any iterable of bytes, which its types do not say.
        body: sends ? (out.slices as unknown as Readable) : null,
        signal: out.signal,
        dispatcher: this.#dispatcher,
        headersTimeout: stallMs,
        bodyTimeout: stallMs,
      });
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof ExhibitError ? error : unreachable(error as Error, url);
    }
  }

  #owner(): Readonly<Record<string, string>> {
    const { owner } = this.address;
    return owner === undefined ? {} : { "x-amz-expected-bucket-owner": owner };
  }

  /** Now, by the engine's clock. */
  #engineTime(): Date {
    return new Date(this.#clock.now().getTime() + this.#aheadMs);
  }

  #pathOf(key: string | undefined): string {
    const inBucket = key === undefined ? "" : key.split("/").map(encoded).join("/");
    return this.address.pathStyle
      ? `/${this.address.bucket}${key === undefined ? "" : `/${inBucket}`}`
      : `/${inBucket}`;
  }

  /** Whether a refusal is about the time or the age of the keys, of which the next request may have better ones. */
  #mayHelpToAskAgain({ status, headers, body }: S3Answer): boolean {
    if (status !== 403 && status !== 400) return false;
    const code = errorCodeIn(body);
    if (code === "ExpiredToken" || code === "TokenRefreshRequired") return true;
    const theirs = Date.parse(headers["date"] ?? "");
    if (status !== 403 || Number.isNaN(theirs)) return false;
    const aheadMs = theirs - this.#clock.now().getTime();
    if (Math.abs(aheadMs - this.#aheadMs) < toleratedMs) return false;
    this.#aheadMs = aheadMs;
    return true;
  }

  async #readAll(response: Dispatcher.ResponseData, signal: AbortSignal): Promise<S3Answer> {
    const { status, headers, body } = streamed(response);
    return { status, headers, body: await wholeAnswer(body, this.#origin, signal) };
  }
}

function streamed({ statusCode, headers, body }: Dispatcher.ResponseData): S3Streamed {
  const single = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return { status: statusCode, headers: Object.fromEntries(single), body };
}

/** @throws ExhibitError `auth.no-credentials` */
function keyOf(text: string | undefined): Buffer {
  const key = Buffer.from(text ?? "", "base64");
  if (key.byteLength === 32) return key;
  throw new ExhibitError(
    "auth.no-credentials",
    "The key that this store's content is encrypted with is not there.",
    { hint: "Put its 32 bytes, in base64, into the environment: EXHIBIT_SSE_C_KEY." },
  );
}
