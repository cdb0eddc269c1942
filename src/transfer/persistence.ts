import { setTimeout as sleep } from "node:timers/promises";
import { ExhibitError, hasCode, type ErrorCode } from "../evidence/errors.ts";
import type { OnTransferEvent } from "../evidence/progress.ts";
import type { Patience } from "./patience.ts";

/** What may be gone in a moment. A full disk or an unreadable source is not. */
const passing: readonly ErrorCode[] = [
  "unavailable.store",
  "unavailable.busy",
  "unavailable.rate-limited",
];

export interface Persistence {
  readonly patience: Patience;
  readonly onEvent: OnTransferEvent;
}

/**
 * Makes an idempotent request until it succeeds, waiting with full jitter between tries, and at least as long as the
 * store asks for (`facts.retryAfterSeconds`). Only what may pass is tried again.
 *
 * @throws ExhibitError `unavailable.store` when patience ends; any other failure at once; the signal's reason
 */
export async function persistently<Result>(
  request: () => Promise<Result>,
  { patience, onEvent }: Persistence,
  signal: AbortSignal,
): Promise<Result> {
  let firstFailureAt: number | undefined;
  for (let tries = 1; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return await request();
    } catch (error) {
      signal.throwIfAborted();
      if (!mayPass(error)) throw error;
      firstFailureAt ??= performance.now();
      const waitMs = waitBefore(tries, error, patience);
      const elapsedMs = performance.now() - firstFailureAt;
      if (tries >= patience.tries || elapsedMs + waitMs > patience.giveUpAfterMs) {
        throw gaveUp(tries, error);
      }
      onEvent({ type: "waiting", reason: error.message, seconds: waitMs / 1000 });
      await pause(waitMs, signal);
    }
  }
}

function mayPass(error: unknown): error is ExhibitError {
  return passing.some((code) => hasCode(error, code));
}

/** Full jitter: anything from nothing to the doubled, capped wait, so that many machines do not come back at once. */
function waitBefore(failures: number, error: ExhibitError, patience: Patience): number {
  const ceiling = Math.min(patience.capMs, patience.baseMs * 2 ** Math.min(failures - 1, 30));
  const asked = Number(error.facts["retryAfterSeconds"] ?? 0) * 1000;
  return (Number.isFinite(asked) ? Math.max(asked, 0) : 0) + Math.random() * ceiling;
}

async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(waitMs, undefined, { signal });
  } catch {
    // Only the signal can end a sleep early: its own reason tells more than the AbortError.
    signal.throwIfAborted();
  }
}

function gaveUp(tries: number, cause: ExhibitError): ExhibitError {
  return new ExhibitError("unavailable.store", `${cause.message} Gave up after ${tries} tries.`, {
    hint: "What has arrived is kept. Check the connection; exhibit resume goes on from there.",
    facts: { ...cause.facts, tries },
    cause,
  });
}
