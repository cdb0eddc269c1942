import type { Answer } from "./answer.ts";
import type { Call, Host } from "./call.ts";

/** What goes wrong. */
export type Fault =
  /** Answers without doing anything. */
  | { readonly answer: Answer }
  /** Does what was asked, and answers something else. */
  | { readonly storeThenAnswer: Answer }
  /** Does what was asked, and changes what is answered. */
  | { readonly alter: (answer: Answer) => Answer }
  /** Cuts the connection: after so many bytes of the request, after it took effect, or in the middle of the answer. */
  | { readonly cut: number | "unanswered" | "answer" }
  /** Sends the answer in pieces of so many bytes, that many milliseconds apart. */
  | { readonly drip: { readonly bytes: number; readonly everyMs: number } }
  /** Answers when this is settled. */
  | { readonly hold: Promise<unknown> };

export type PlannedFault = Fault & {
  readonly method?: string;
  readonly path: RegExp;
  readonly host?: Host;
  /** How often; once unless told. */
  readonly times?: number;
  /** Requests let through before the first. */
  readonly after?: number;
};

interface Waiting {
  readonly fault: PlannedFault;
  skip: number;
  left: number;
}

/** Faults that wait for their request. */
export class Faults {
  private readonly waiting: Waiting[] = [];
  /** How many have struck. */
  struck = 0;

  /** The next request that fits goes wrong. Earlier plans come first. */
  next(fault: PlannedFault): void {
    this.waiting.push({ fault, skip: fault.after ?? 0, left: fault.times ?? 1 });
  }

  clear(): void {
    this.waiting.length = 0;
  }

  /** Faults that nothing has met yet. */
  get pending(): number {
    return this.waiting.length;
  }

  take(call: Call): Fault | undefined {
    const at = this.waiting.findIndex((one) => fits(one, call));
    const waiting = this.waiting[at];
    if (waiting === undefined) return undefined;
    waiting.left -= 1;
    if (waiting.left === 0) this.waiting.splice(at, 1);
    this.struck += 1;
    return waiting.fault;
  }
}

function fits(waiting: Waiting, call: Call): boolean {
  const { method, path, host } = waiting.fault;
  if (method !== undefined && method !== call.method) return false;
  if (host !== undefined && host !== call.host) return false;
  if (!path.test(call.url.pathname)) return false;
  if (waiting.skip === 0) return true;
  waiting.skip -= 1;
  return false;
}

/** `429` as Box sends it. */
export function rateLimited(seconds: number): Answer {
  return {
    ...failure(429, "rate_limit_exceeded", "Request rate limit exceeded, please try again later"),
    headers: { "retry-after": String(seconds) },
  };
}

/** A failure of Box's own, with its usual body. */
export function failure(status: number, code: string, message: string): Answer {
  const request_id = Math.random().toString(16).slice(2, 18);
  const help_url = "http://developers.box.com/docs/#errors";
  return {
    status,
    json: { type: "error", status, code, help_url, message, request_id },
    faulty: true,
  };
}

/** What a gateway in front of Box says. */
export function gatewayPage(status = 502): Answer {
  return {
    status,
    headers: { "content-type": "text/html" },
    text: `<html><head><title>${status} Bad Gateway</title></head><body>nginx</body></html>`,
    faulty: true,
  };
}

/** A refused token, told by nothing but its status and a header. */
export function refusedToken(): Answer {
  const why = `Bearer realm="Service", error="invalid_token", error_description="The access token provided is invalid."`;
  return { status: 401, headers: { "www-authenticate": why }, faulty: true };
}
