import type { IncomingHttpHeaders } from "node:http";
import type { Method } from "got";
import type { CustomFetch } from "openid-client";
import { ExhibitError } from "../evidence/errors.ts";
import { parsed, send } from "./control-call.ts";
import type { Route } from "./network.ts";

/** An answer of a token endpoint. */
export interface OAuthAnswer {
  readonly url: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; text of other kinds as it came; undefined when there was none. */
  readonly body: unknown;
}

/**
 * Lets openid-client use our one way of making control calls. `failureOf` turns an answer into our own failure, or lets it
 * through.
 */
export function fetchThrough(
  route: Route,
  signal: AbortSignal,
  failureOf: (answer: OAuthAnswer) => ExhibitError | undefined,
): CustomFetch {
  return async (url, { method, headers, body }) => {
    const { text, ...answer } = await send(
      route,
      {
        url,
        method: method as Method,
        // The other end should see what program asks, not with what library.
        headers: { ...headers, "user-agent": "exhibit" },
        body: body === undefined || body === null ? undefined : bodyText(body),
      },
      signal,
    );
    const type = answer.headers["content-type"];
    const failure = failureOf({ url, ...answer, body: parsed(text, type) });
    if (failure !== undefined) throw failure;
    return new Response(text, {
      status: answer.status,
      headers: { "content-type": type ?? "application/json" },
    });
  };
}

/** Takes our failures out of what openid-client wraps them in. */
export async function plainly<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    let cause: unknown = error;
    while (cause instanceof Error && !(cause instanceof ExhibitError)) cause = cause.cause;
    throw cause instanceof ExhibitError ? cause : error;
  }
}

function bodyText(body: unknown): string {
  if (typeof body === "string") return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError("openid-client sent a body of an unexpected kind.");
}
