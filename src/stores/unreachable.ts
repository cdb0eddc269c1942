import type { IncomingHttpHeaders } from "node:http";
import { ExhibitError } from "../evidence/errors.ts";

/**
 * Hands on how long the server wants to be left alone (RFC 9110 section 10.2.3: seconds, or a date, which is by the clock of
 * whoever answered).
 */
export function withRetryAfter(failure: ExhibitError, headers: IncomingHttpHeaders): ExhibitError {
  const field = headers["retry-after"];
  if (field === undefined) return failure;
  const theirNow = Date.parse(headers.date ?? "");
  const now = Number.isNaN(theirNow) ? Date.now() : theirNow;
  const seconds = /^\d+$/.test(field) ? Number(field) : (Date.parse(field) - now) / 1000;
  if (!Number.isFinite(seconds)) return failure;
  const { code, message, hint, cause } = failure;
  return new ExhibitError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    facts: { ...failure.facts, retryAfterSeconds: Math.max(0, seconds) },
    cause,
  });
}

const certificateTrouble =
  /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|ERR_TLS_CERT)/;

/** The failure to get an answer at all. */
export function unreachable(error: Error, url: string): ExhibitError {
  const { host } = new URL(url);
  const code = causeCode(error);
  if (certificateTrouble.test(code)) {
    return new ExhibitError(
      "policy.insecure-address",
      `The certificate of ${host} is not one that this computer trusts (${code}).`,
      {
        hint: "If your organisation has its own certificates, name their file with --ca-file. Otherwise do not go on.",
        cause: error,
      },
    );
  }
  const how = code === "" ? "" : ` (${code})`;
  return new ExhibitError("unavailable.store", `${host} could not be reached${how}.`, {
    hint: "Check the address and this computer's connection, and try again. exhibit doctor looks at both, and at the proxy.",
    cause: error,
  });
}

function causeCode(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const { code } = error as NodeJS.ErrnoException;
  const inner = causeCode(error.cause);
  return inner === "" ? (code ?? "") : inner;
}
