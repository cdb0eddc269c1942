import type { Readable } from "node:stream";
import { z } from "zod";
import type { BoxAddress } from "../../evidence/box-address.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Calm } from "./calm.ts";
import { failureOf } from "./failures.ts";
import type { Tokens } from "../sign-in/shared-token.ts";
import { textOf, type BoxWire, type WireAnswer, type WireRequest } from "./wire.ts";

/** One call to Box. */
export interface BoxCall {
  readonly method: WireRequest["method"];
  /** From the API's root (`/2.0/users/me`), or a whole URL that Box itself has given. */
  readonly to: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, piece by piece. */
  readonly pieces?: readonly Uint8Array[];
  /** Counts among the uploads that Box allows a user in a minute. */
  readonly isUpload?: boolean;
}

export interface BoxAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; undefined where there is none. */
  readonly body: unknown;
}

/** Tries of a call that only asks, where Box is in trouble. */
const triesOfAsking = 3;

/** Speaks to Box as the one account that is signed in: with its token, no faster than Box allows. */
export class BoxApi {
  readonly address: BoxAddress;
  readonly #wire: BoxWire;
  readonly #tokens: Tokens;
  readonly #calm: Calm;

  constructor(address: BoxAddress, wire: BoxWire, tokens: Tokens, calm: Calm) {
    this.address = address;
    this.#wire = wire;
    this.#tokens = tokens;
    this.#calm = calm;
  }

  /** Where uploads begin. */
  upload(path: string): string {
    return `${this.address.upload}/api/2.0${path}`;
  }

  /**
   * Makes a call and gives any answer that is Box's own. One that Box had no time for is made again when Box says; a GET that met
   * trouble a few times more.
   *
   * @throws ExhibitError `auth.*`, `unavailable.*`; the signal's reason
   */
  async ask(call: BoxCall, signal: AbortSignal): Promise<BoxAnswer> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#asOurselves(call, signal);
      if (!(await this.#waited(answer, call.method, tries, signal))) return answer;
    }
  }

  /** As {@link ask}; the answer must be a success and have this form. @throws ExhibitError what {@link failureOf} makes of it */
  async get<Body>(schema: z.ZodType<Body>, call: BoxCall, signal: AbortSignal): Promise<Body> {
    return bodyOf(schema, await this.ask(call, signal));
  }

  /** As {@link ask}, the body as it comes. A redirect is followed, without our token. */
  async stream(
    call: Pick<BoxCall, "to" | "query" | "headers">,
    signal: AbortSignal,
  ): Promise<Omit<BoxAnswer, "body"> & { readonly body: Readable }> {
    const answer = await this.#streamed(call, signal);
    const location = answer.headers["location"];
    if (answer.status !== 302 || location === undefined) return answer;
    answer.body.destroy();
    return this.#wire.send(
      {
        method: "GET",
        url: location,
        headers: call.headers ?? {},
      },
      signal,
    );
  }

  async #streamed(
    call: Pick<BoxCall, "to" | "query" | "headers">,
    signal: AbortSignal,
  ): Promise<WireAnswer> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#send({ ...call, method: "GET" }, signal);
      if (!(await this.#waited({ ...answer, body: undefined }, "GET", tries, signal)))
        return answer;
      answer.body.destroy();
    }
  }

  /** Waits where the call is to be made again. @throws ExhibitError what the answer stands for, where that takes too long */
  async #waited(
    answer: BoxAnswer,
    method: BoxCall["method"],
    tries: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const isBusy = answer.status === 429;
    const isTrouble = answer.status >= 500 && method === "GET" && tries < triesOfAsking;
    if (isBusy) await this.#calm.busy(failureOf(answer), tries, signal);
    else if (isTrouble) await this.#calm.pause(failureOf(answer), tries, signal);
    return isBusy || isTrouble;
  }

  async #asOurselves(call: BoxCall, signal: AbortSignal): Promise<BoxAnswer> {
    const answer = await this.#send(call, signal);
    return { ...answer, body: parsed(await textOf(answer, signal)) };
  }

  /** A token that has ended is told by a 401, and another one asked for, once. */
  async #send(call: BoxCall, signal: AbortSignal): Promise<WireAnswer> {
    await this.#calm.turn(call.isUpload === true, signal);
    const token = await this.#tokens.token(signal);
    const answer = await this.#wire.send(this.#request(call, token), signal);
    if (answer.status !== 401) return answer;
    answer.body.destroy();
    const other = await this.#tokens.token(signal, token);
    const again = await this.#wire.send(this.#request(call, other), signal);
    if (again.status !== 401) return again;
    again.body.destroy();
    throw new ExhibitError("auth.token-invalid", "Box does not accept this computer's login.", {
      hint: "Log in again: exhibit login, with the store's name.",
    });
  }

  #request(call: BoxCall, token: string): WireRequest {
    const { method, to, query = {}, headers = {}, json, pieces } = call;
    const url = new URL(to, this.address.api);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const { asUser } = this.address;
    return {
      method,
      url: url.href,
      headers: {
        ...headers,
        authorization: `Bearer ${token}`,
        ...(asUser === undefined ? {} : { "as-user": asUser }),
        ...(json === undefined
          ? {}
          : { "content-type": headers["content-type"] ?? "application/json" }),
      },
      ...(json === undefined ? { pieces } : { pieces: [Buffer.from(JSON.stringify(json))] }),
    };
  }
}

/** An answer's body in the form that it must have. @throws ExhibitError what {@link failureOf} makes of any other answer */
export function bodyOf<Body>(schema: z.ZodType<Body>, answer: BoxAnswer): Body {
  if (answer.status >= 300) throw failureOf(answer);
  const found = schema.safeParse(answer.body);
  if (found.success) return found.data;
  throw failureOf({ ...answer, body: undefined });
}

/** Where a page of events ends is a number of any length, which would lose its last digits as one of JavaScript's. */
const longPosition = /("next_stream_position"\s*:\s*)(\d{16,})/;

function parsed(text: string): unknown {
  try {
    return text === "" ? undefined : (JSON.parse(text.replace(longPosition, '$1"$2"')) as unknown);
  } catch {
    return undefined;
  }
}
