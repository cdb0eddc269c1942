import { randomBytes } from "node:crypto";

/** An answer of the simulator: JSON, text or bytes, or nothing. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  readonly bytes?: readonly Buffer[];
  /** Made by a fault, so that it need not look like Box. */
  readonly faulty?: boolean;
}

/** Thrown where Box refuses. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly more: {
    readonly context?: Record<string, unknown>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly form?: "standard" | "oauth" | "metadata" | "empty";
  };

  constructor(
    status: number,
    code: string,
    message: string,
    more: {
      readonly context?: Record<string, unknown>;
      readonly headers?: Readonly<Record<string, string>>;
      readonly form?: "standard" | "oauth" | "metadata" | "empty";
    } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

/** The answer that tells of a refusal, in the shape that this part of Box uses. */
export function refusalAnswer({ status, code, message, more }: Refusal): Answer {
  const headers = more.headers ?? {};
  const request_id = randomBytes(8).toString("hex");
  switch (more.form ?? "standard") {
    case "empty":
      return { status, headers };
    case "oauth":
      return { status, headers, json: { error: code, error_description: message } };
    case "metadata":
      return { status, headers, json: { code, message, request_id } };
    case "standard": {
      const help_url = "http://developers.box.com/docs/#errors";
      const context = more.context === undefined ? {} : { context_info: more.context };
      const json = { type: "error", status, code, ...context, help_url, message, request_id };
      return { status, headers, json };
    }
  }
}

export function notFound(message = "Not Found"): Refusal {
  return new Refusal(404, "not_found", message, {
    context: {
      errors: [
        { reason: "invalid_parameter", name: "item", message: "Invalid value. Item not found" },
      ],
    },
  });
}

export function badRequest(message: string, code = "bad_request"): Refusal {
  return new Refusal(400, code, message);
}

export function forbidden(
  message = "Access denied - insufficient permission",
  code?: string,
): Refusal {
  return new Refusal(403, code ?? "access_denied_insufficient_permissions", message);
}
