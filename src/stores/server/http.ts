import type { IncomingHttpHeaders } from "node:http";
import type { Method } from "got";
import { ExhibitError } from "../../evidence/errors.ts";
import { problemSchema } from "../../protocol/problem.ts";
import type { Route } from "../network.ts";
import { parsed, send, usualRetries } from "../control-call.ts";
import { withRetryAfter } from "../unreachable.ts";

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
      retries: call.once === true ? 0 : usualRetries,
    },
    signal,
  );
  const body = parsed(text, answer.headers["content-type"]);
  if (answer.status >= 300) {
    throw withRetryAfter(failureOf(answer.status, body, url), answer.headers);
  }
  return { ...answer, body };
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
