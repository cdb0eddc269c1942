/**
 * Every failure this product foresees, one code a cause, never reused for another. The first word is
 * its family: `cli/exit.ts` turns families into exit codes, `server/problems.ts` into HTTP statuses.
 */
export const errorCodes = [
  "usage.invalid",
  "usage.ambiguous",
  "usage.missing",
  "usage.not-a-terminal",
  "partial.failed",
  "auth.required",
  "auth.invitation-unknown",
  "auth.invitation-used",
  "auth.invitation-expired",
  "auth.invitation-revoked",
  "auth.invitation-mistyped",
  "auth.identity-revoked",
  "auth.identity-unknown",
  "auth.token-invalid",
  "auth.clock-wrong",
  "auth.server-key-changed",
  "auth.no-keychain",
  "auth.no-credentials",
  "auth.keys-refused",
  "auth.key-file",
  "auth.sign-in-denied",
  "auth.sign-in-late",
  "auth.app-refused",
  "auth.login-expired",
  "not-found.source",
  "not-found.exhibit",
  "not-found.content",
  "not-found.upload",
  "not-found.share",
  "not-found.request",
  "not-found.identity",
  "not-found.invitation",
  "not-found.store",
  "not-found.route",
  "integrity.mismatch",
  "integrity.source-changed",
  "integrity.signature",
  "integrity.chain",
  "integrity.proof-too-weak",
  "unavailable.store",
  "unavailable.busy",
  "unavailable.rate-limited",
  "unavailable.no-space",
  "unavailable.source",
  "unavailable.program",
  "unavailable.sign-in",
  "conflict.exists",
  "conflict.sealed",
  "conflict.locked",
  "conflict.part-differs",
  "conflict.schema-newer",
  "conflict.upload-closed",
  "conflict.unfinished",
  "conflict.share-ended",
  "conflict.share-changed",
  "policy.role",
  "policy.quota",
  "policy.type-not-markable",
  "policy.insecure-address",
  "policy.unsupported",
  "policy.too-large",
  "policy.not-permitted",
  "policy.not-retained",
  "policy.no-role",
  "policy.groups-overage",
  "policy.device-flow-blocked",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Values that are safe to log and to show: sizes, digests, references, counts. Never a person's name. */
export type Facts = Readonly<Record<string, string | number>>;

/** A failure we foresaw. Anything else that reaches the top is a bug and prints a stack. */
export class ExhibitError extends Error {
  override readonly name = "ExhibitError";
  readonly code: ErrorCode;
  /** What to do next, in the imperative. */
  readonly hint: string | undefined;
  readonly facts: Facts;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; facts?: Facts; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.facts = options.facts ?? {};
  }
}

/** True when `error` is an {@link ExhibitError} of exactly this code. */
export function hasCode(error: unknown, code: ErrorCode): error is ExhibitError {
  return error instanceof ExhibitError && error.code === code;
}

/** The family of a code: what comes before its dot. */
export function familyOf(code: ErrorCode): string {
  return code.slice(0, code.indexOf("."));
}
