import type { Readable } from "node:stream";
import { request, type Dispatcher } from "undici";
import { ExhibitError } from "../../evidence/errors.ts";
import { isLoopback } from "../../evidence/web-address.ts";
import type { Network } from "../network.ts";
import { outgoing } from "../outgoing.ts";
import { unreachable } from "../unreachable.ts";
import { wholeAnswer } from "../whole-answer.ts";

export interface WireRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE" | "OPTIONS";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, piece by piece. */
  readonly pieces?: readonly Uint8Array[] | undefined;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
  readonly url: string;
}

/** Requests to Box's hosts, as they go over the network. */
export class BoxWire {
  readonly #network: Network;
  readonly #agent: string;

  constructor(network: Network, toolVersion: string) {
    this.#network = network;
    this.#agent = `exhibit/${toolVersion}`;
  }

  /** @throws ExhibitError `unavailable.store`, `policy.insecure-address`; the signal's reason */
  async send(
    { method, url, headers, pieces = [] }: WireRequest,
    signal: AbortSignal,
  ): Promise<WireAnswer> {
    signal.throwIfAborted();
    requireSafe(url);
    const { pace, stallMs } = this.#network;
    const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    const bodies = pieces.map((piece) => outgoing(piece, { pace, stallMs, url }, signal));
    const stop = AbortSignal.any([signal, ...bodies.map((one) => one.signal)]);
    async function* slices(): AsyncGenerator<Uint8Array> {
      for (const one of bodies) yield* one.slices;
    }
    try {
      const answer = await request(url, {
        method,
        headers: {
          "user-agent": this.#agent,
          accept: "application/json",
          ...headers,
          ...(length > 0 ? { "content-length": String(length) } : {}),
        },
        // undici takes any iterable of bytes, which its types do not say.
        body: length > 0 ? (slices() as unknown as Readable) : null,
        signal: stop,
        dispatcher: this.#network.route(url).dispatcher,
        headersTimeout: stallMs,
        bodyTimeout: stallMs,
      });
      return answered(answer, url);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof ExhibitError ? error : unreachable(error as Error, url);
    }
  }
}

/** All of an answer that is not content, as text. @throws ExhibitError `unavailable.store`; the signal's reason */
export async function textOf({ body, url }: WireAnswer, signal: AbortSignal): Promise<string> {
  return (await wholeAnswer(body, url, signal)).toString("utf8");
}

function answered({ statusCode, headers, body }: Dispatcher.ResponseData, url: string): WireAnswer {
  // Destroyed where it is not wanted; that is no failure of ours.
  body.on("error", () => undefined);
  const single = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return { status: statusCode, headers: Object.fromEntries(single), body, url };
}

/** Box names hosts in its answers: none is believed that is spoken to in the clear. */
function requireSafe(url: string): void {
  const { protocol, hostname, host } = new URL(url);
  if (protocol === "https:" || (protocol === "http:" && isLoopback(hostname))) return;
  throw new ExhibitError(
    "policy.insecure-address",
    `Box named ${host}, which would be reached without encryption.`,
    { hint: "Nothing was sent there. Tell your administrator." },
  );
}
