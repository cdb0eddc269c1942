import type { Readable } from "node:stream";
import { request, type Dispatcher } from "undici";
import { digestField } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { outgoing } from "../outgoing.ts";
import { unreachable, withRetryAfter } from "../unreachable.ts";
import { parsed } from "../control-call.ts";
import { failureOf } from "./http.ts";
import type { Session } from "./session.ts";

/** Answers to data are small documents; the longest is the receipts of a bundle. */
const answerLimitBytes = 4 * 1024 * 1024;

export interface Sending {
  readonly method: "PUT" | "POST";
  /** Absolute. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * Sends bytes in one request, once; the engine above repeats it. Our token goes along only to the server's own origin, redirects
 * are not followed, and a refusal that comes while the body is going out is delivered as what it is.
 *
 * @returns the parsed answer
 * @throws ExhibitError what the server's problem document says; `unavailable.store`
 */
export async function sendBytes(
  session: Session,
  sending: Sending,
  signal: AbortSignal,
): Promise<unknown> {
  const { method, url, bytes, sha256 } = sending;
  const length = bytes.byteLength;
  const response = await authorised(session, url, signal, (authorization) => {
    const body = outgoing(bytes, session, signal);
    return ask(session, url, body.signal, {
      method,
      headers: {
        "content-type": "application/octet-stream",
        ...sending.headers,
        ...authorization,
        "content-digest": digestField(sha256),
        ...(length === 0 ? {} : { "content-length": String(length) }),
      },
      // undici takes any iterable of bytes, which its types do not say.
      body: length === 0 ? null : (body.slices as unknown as Readable),
    });
  });
  return readAnswer(response, url, signal);
}

/** Bytes for somebody else than the server. */
export interface SendingElsewhere {
  /** Absolute; a secret: it appears in no failure. */
  readonly url: string;
  /** All that goes along; names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** An answer of somebody else than the server, whatever it is. */
export interface Elsewhere {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Puts bytes to a place that is not the server's: without a token, once, no redirect followed. @throws ExhibitError `unavailable.store`, `policy.insecure-address` */
export async function sendElsewhere(
  session: Session,
  { url, headers, bytes }: SendingElsewhere,
  signal: AbortSignal,
): Promise<Elsewhere> {
  signal.throwIfAborted();
  const { pace, stallMs } = session;
  const out = outgoing(bytes, { pace, stallMs, url }, signal);
  try {
    const response = await ask(session, url, out.signal, {
      method: "PUT",
      headers,
      body: out.slices as unknown as Readable,
    });
    const single = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
    return {
      status: response.statusCode,
      headers: Object.fromEntries(single) as Record<string, string>,
      body: await wholeBody(response),
    };
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ExhibitError ? error : unreachable(error as Error, url);
  }
}

/** Asks for bytes. @throws ExhibitError as {@link sendBytes}, and whatever status but 2xx and 416 stands for */
export async function fetchBytes(
  session: Session,
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const response = await authorised(session, url, signal, (authorization) =>
    ask(session, url, signal, { method: "GET", headers: { ...headers, ...authorization } }),
  );
  if (response.statusCode === 416 || ok(response)) return response;
  throw await refusal(response, url, signal);
}

type Options = Omit<Dispatcher.RequestOptions, "origin" | "path" | "signal">;

function ask(
  session: Session,
  url: string,
  signal: AbortSignal,
  options: Options,
): Promise<Dispatcher.ResponseData> {
  return request(url, {
    ...options,
    // One of its own for each request: undici listens to it, and a person's one signal serves many at once.
    signal: AbortSignal.any([signal]),
    dispatcher: session.routeTo(url).dispatcher,
    // Counted anew whenever the connection takes more of a body.
    headersTimeout: session.stallMs,
    bodyTimeout: session.stallMs,
  });
}

/** Asks again once, with a new token, when the server refuses the one that it was given. */
async function authorised(
  session: Session,
  url: string,
  signal: AbortSignal,
  send: (authorization: Readonly<Record<string, string>>) => Promise<Dispatcher.ResponseData>,
): Promise<Dispatcher.ResponseData> {
  signal.throwIfAborted();
  const own = new URL(url).origin === new URL(session.url).origin;
  const attempt = async (): Promise<{ token: string; response: Dispatcher.ResponseData }> => {
    const token = own ? await session.accessToken(signal) : "";
    try {
      return { token, response: await send(own ? { authorization: `Bearer ${token}` } : {}) };
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof ExhibitError ? error : unreachable(error as Error, url);
    }
  };
  const first = await attempt();
  if (first.response.statusCode !== 401 || !own) return first.response;
  const failure = await refusal(first.response, url, signal);
  if (failure.code !== "auth.token-invalid") throw failure;
  session.dropToken(first.token);
  return (await attempt()).response;
}

async function readAnswer(
  response: Dispatcher.ResponseData,
  url: string,
  signal: AbortSignal,
): Promise<unknown> {
  if (!ok(response)) throw await refusal(response, url, signal);
  return bodyOf(response, url, signal);
}

async function refusal(
  response: Dispatcher.ResponseData,
  url: string,
  signal: AbortSignal,
): Promise<ExhibitError> {
  const { statusCode, headers } = response;
  const body = await bodyOf(response, url, signal);
  // What a proxy says by itself, of a body: no request as long as this one, or as slow.
  if (typeof body !== "object" && (statusCode === 413 || statusCode === 408)) {
    return tooLong(statusCode, url);
  }
  return withRetryAfter(failureOf(statusCode, body, url), headers);
}

function tooLong(status: number, url: string): ExhibitError {
  const { host } = new URL(url);
  return new ExhibitError(
    "policy.too-large",
    `${host}, or a proxy before it, takes no request as long as this (status ${status}).`,
    { hint: "Send smaller parts with --part-size, such as 256K.", facts: { status } },
  );
}

async function bodyOf(
  response: Dispatcher.ResponseData,
  url: string,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    const type = response.headers["content-type"];
    const text = (await wholeBody(response)).toString("utf8");
    return parsed(text, Array.isArray(type) ? type[0] : type);
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(error as Error, url);
  }
}

/** What is longer than any answer that makes sense is cut off. */
async function wholeBody(response: Dispatcher.ResponseData): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > answerLimitBytes) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function ok(response: Dispatcher.ResponseData): boolean {
  return response.statusCode >= 200 && response.statusCode < 300;
}
