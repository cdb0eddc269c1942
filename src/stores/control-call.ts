import type { IncomingHttpHeaders } from "node:http";
import { got, RequestError, type Method } from "got";
import { jitteredMs } from "../evidence/next-try.ts";
import type { Route } from "./network.ts";
import { unreachable } from "./unreachable.ts";

/** One try's limit in ms; the protocol promises an answer within 30 s. */
const tryTimeoutMs = 40_000;
/** About 8 s of trying in all. */
export const usualRetries = 5;
const firstPauseMs = 250;
const longestPauseMs = 30_000;

interface Sending {
  readonly url: string;
  readonly method: Method;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Left out, {@link usualRetries}. */
  readonly retries?: number;
}

/**
 * Sends one request, again while the other end is busy or out of reach, with full jitter or as `Retry-After` says, and returns any
 * answer at all. Never follows a redirect, so that a token cannot end up elsewhere.
 *
 * @throws ExhibitError `unavailable.store`, `policy.insecure-address`; the signal's reason
 */
export async function send(
  route: Route,
  request: Sending,
  signal: AbortSignal,
): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
  const limit = request.retries ?? usualRetries;
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
          // Who is to come back much later is told so, and not left to wait.
          if (retryAfter !== undefined && retryAfter > longestPauseMs) return 0;
          const pause = retryAfter ?? jitteredMs(firstPauseMs, attemptCount, longestPauseMs);
          // Nothing would be taken for "not again".
          return Math.max(1, pause);
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
