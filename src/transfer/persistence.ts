import { ExhibitError, hasCode, type ErrorCode } from "../evidence/errors.ts";
import { askedMs } from "../evidence/next-try.ts";
import type { OnTransferEvent } from "../evidence/progress.ts";
import type { Outage } from "./outage.ts";
import type { Patience } from "./patience.ts";

/** What may be gone in a moment. A full disk or an unreadable source is not. */
const passing: readonly ErrorCode[] = [
  "unavailable.store",
  "unavailable.busy",
  "unavailable.rate-limited",
  "unavailable.sign-in",
];

export interface Persistence {
  readonly patience: Patience;
  /** Shared by all who speak to the same store. */
  readonly outage: Outage;
  readonly onEvent: OnTransferEvent;
}

/**
 * Makes an idempotent request until it succeeds. While the store is gone all requests wait and one at a time tries, after
 * waits that grow, with full jitter, and at least as long as the store asks for (`facts.retryAfterSeconds`). Only what
 * may pass is tried again; a request that alone fails while others succeed, or that gets answers that make no sense, has a
 * limited number of tries.
 *
 * @throws ExhibitError `unavailable.store` when patience ends; any other failure at once; the signal's reason
 */
export async function persistently<Result>(
  request: () => Promise<Result>,
  { patience, outage, onEvent }: Persistence,
  signal: AbortSignal,
): Promise<Result> {
  let firstFailureAt: number | undefined;
  let tries = 0;
  let triesAlone = 0;
  for (;;) {
    const isTrying = await outage.pass(signal);
    try {
      const result = await request();
      outage.over();
      return result;
    } catch (error) {
      if (signal.aborted) outage.left(isTrying);
      signal.throwIfAborted();
      if (!mayPass(error)) {
        outage.over();
        throw error;
      }
      tries += 1;
      firstFailureAt ??= performance.now();
      if (outage.succeededSince(firstFailureAt) || makesNoSense(error)) triesAlone += 1;
      const waitMs = outage.failed(isTrying, askedMs(error), patience) ?? 0;
      const elapsedMs = performance.now() - firstFailureAt;
      if (triesAlone >= patience.tries || elapsedMs + waitMs > patience.giveUpAfterMs) {
        throw gaveUp(tries, error);
      }
      if (waitMs > 0) onEvent({ type: "waiting", reason: error.message, seconds: waitMs / 1000 });
    }
  }
}

function mayPass(error: unknown): error is ExhibitError {
  return passing.some((code) => hasCode(error, code));
}

/** Somebody answered, and not as one who is busy or in trouble: waiting for long will not mend that. */
function makesNoSense({ facts }: ExhibitError): boolean {
  const { status } = facts;
  return typeof status === "number" && status < 500 && status !== 408 && status !== 429;
}

function gaveUp(tries: number, cause: ExhibitError): ExhibitError {
  return new ExhibitError(
    "unavailable.store",
    `${cause.message} Gave up after ${tries === 1 ? "1 try" : `${tries} tries`}.`,
    {
      hint: "What has arrived is kept. Check the connection; exhibit resume goes on from there.",
      facts: { ...cause.facts, tries },
      cause,
    },
  );
}
