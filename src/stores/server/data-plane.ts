import type { Readable } from "node:stream";
import { request, type Dispatcher } from "undici";
import { digestField } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { failureOf, parsed, unreachable } from "./http.ts";
import type { Session } from "./session.ts";

/** The body goes out in slices of the caller's buffer: less memory under TLS, and a slow line is never taken for a stalled one. */
const sliceBytes = 256 * 1024;

/** How long a connection may give nothing, or take no slice, before it is given up. */
const stallMs = 180_000;

/** Answers to data are small documents. */
const answerLimitBytes = 1024 * 1024;

export interface Sending {
  /** Absolute. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * Sends bytes in one PUT, once; the engine above repeats it. Our token goes along only to the server's own origin, redirects
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
  const { url, bytes, sha256 } = sending;
  const length = bytes.byteLength;
  const response = await authorised(session, url, signal, (authorization) =>
    ask(session, url, signal, {
      method: "PUT",
      headers: {
        "content-type": "application/octet-stream",
        ...sending.headers,
        ...authorization,
        "content-digest": digestField(sha256),
        ...(length === 0 ? {} : { "content-length": String(length) }),
      },
      // undici takes any iterable of bytes, which its types do not say.
      body: length === 0 ? null : (slices(bytes) as Iterable<Uint8Array> as unknown as Readable),
    }),
  );
  return readAnswer(response, url, signal);
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
    dispatcher: session.route.dispatcher,
    headersTimeout: stallMs,
    bodyTimeout: stallMs,
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
      throw unreachable(error as Error, url);
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
  const failure = failureOf(response.statusCode, await bodyOf(response, url, signal), url);
  return withRetryAfter(failure, response.headers["retry-after"]);
}

/** Hands on how long the server wants to be left alone (RFC 9110 section 10.2.3: seconds, or a date). */
function withRetryAfter(failure: ExhibitError, field: string | string[] | undefined): ExhibitError {
  if (typeof field !== "string") return failure;
  const seconds = /^\d+$/.test(field) ? Number(field) : (Date.parse(field) - Date.now()) / 1000;
  if (!Number.isFinite(seconds)) return failure;
  const { code, message, hint, cause } = failure;
  return new ExhibitError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    facts: { ...failure.facts, retryAfterSeconds: Math.max(0, seconds) },
    cause,
  });
}

async function bodyOf(
  response: Dispatcher.ResponseData,
  url: string,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      length += chunk.byteLength;
      if (length > answerLimitBytes) break;
      chunks.push(chunk);
    }
    const type = response.headers["content-type"];
    return parsed(Buffer.concat(chunks).toString("utf8"), Array.isArray(type) ? type[0] : type);
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(error as Error, url);
  }
}

function ok(response: Dispatcher.ResponseData): boolean {
  return response.statusCode >= 200 && response.statusCode < 300;
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += sliceBytes) {
    yield bytes.subarray(at, at + sliceBytes);
  }
}
