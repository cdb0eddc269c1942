import type { IncomingHttpHeaders } from "node:http";
import { got, RequestError, type Method } from "got";
import { ExhibitError } from "../../evidence/errors.ts";
import { problemSchema } from "../../protocol/problem.ts";
import type { Route } from "../network.ts";
import { unreachable, withRetryAfter } from "../unreachable.ts";

export interface Call {
  readonly method: Method;
  /** From the server's root, with a leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Set for calls that must not be made twice, such as making an invitation: never sent again by itself. */
  readonly once?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined when there was none; text of other kinds as it came. */
  readonly body: unknown;
}

/** One try's limit in ms; the protocol promises an answer within 30 s. */
const tryTimeoutMs = 40_000;
const retries = 5;
const firstPauseMs = 250;
const longestPauseMs = 30_000;

/**
 * Makes one control call and retries it while the server is busy or out of reach (about 8 s in all), with full jitter or
 * as `Retry-After` says. Never follows a redirect, so that a token cannot end up elsewhere.
 *
 * @throws ExhibitError what the server's problem document says; `unavailable.store` when it cannot be reached
 */
export async function callServer(
  url: string,
  route: Route,
  call: Call,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) query.set(name, String(value));
  const sent = call.body === undefined ? undefined : JSON.stringify(call.body);
  const { text, ...answer } = await send(
    route,
    {
      url: `${url}${call.path}${query.size === 0 ? "" : `?${query.toString()}`}`,
      method: call.method,
      headers: {
        ...headers,
        ...(sent === undefined ? {} : { "content-type": "application/json" }),
      },
      body: sent,
      retries: call.once === true ? 0 : retries,
    },
    signal,
  );
  const body = parsed(text, answer.headers["content-type"]);
  if (answer.status >= 300) {
    throw withRetryAfter(failureOf(answer.status, body, url), answer.headers);
  }
  return { ...answer, body };
}

interface Sending {
  readonly url: string;
  readonly method: Method;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly retries?: number;
}

/** Sends one request by the rules above, and returns any answer at all. @throws ExhibitError `unavailable.store` */
export async function send(
  route: Route,
  request: Sending,
  signal: AbortSignal,
): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  const limit = request.retries ?? retries;
  try {
    const response = await got(request.url, {
      method: request.method,
      headers: { accept: "application/json", "user-agent": "exhibit", ...request.headers },
      ...(request.body === undefined ? {} : { body: request.body }),
      agent: route.agent,
      signal,
      followRedirect: false,
      throwHttpErrors: false,
      timeout: { request: tryTimeoutMs },
      retry: {
        limit,
        methods: ["GET", "PUT", "POST", "DELETE", "HEAD"],
        statusCodes: [429, 503],
        calculateDelay: ({ attemptCount, computedValue, retryAfter }) => {
          if (computedValue === 0 || attemptCount > limit) return 0;
          const pause = Math.random() * firstPauseMs * 2 ** attemptCount;
          return Math.min(longestPauseMs, Math.max(1, retryAfter ?? pause));
        },
      },
    });
    return { status: response.statusCode, headers: response.headers, text: response.body };
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof RequestError ? unreachable(error, request.url) : error;
  }
}

/** A body as JSON where its type says so; undefined when there is none; else the text. */
export function parsed(text: string, type: string | undefined): unknown {
  if (text === "") return undefined;
  if (type === undefined || !/[/+]json\b/.test(type)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The failure that a refusal stands for: its problem document's, or what the status says where there is none. */
export function failureOf(status: number, body: unknown, url: string): ExhibitError {
  const problem = problemSchema.safeParse(body);
  if (problem.success) {
    const { code, title, hint, facts } = problem.data;
    return new ExhibitError(code, title, {
      ...(hint === undefined ? {} : { hint }),
      ...(facts === undefined ? {} : { facts }),
    });
  }
  const { host } = new URL(url);
  if (status === 429 || status === 503) {
    const code = status === 429 ? "unavailable.rate-limited" : "unavailable.busy";
    return new ExhibitError(code, `${host} answered that it is busy (status ${status}).`, {
      hint: "The server, or a proxy before it, has too much to do. Try again later.",
      facts: { status },
    });
  }
  if (status >= 500 || status === 408) {
    return new ExhibitError("unavailable.store", `${host} answered with status ${status}.`, {
      hint: "The server, or a proxy before it, is in trouble. Try again later.",
      facts: { status },
    });
  }
  return new ExhibitError("unavailable.store", `${host} gave an answer that makes no sense here.`, {
    hint: "Check that the address is that of an exhibit server, and the settings of your proxy.",
    facts: { status },
  });
}
