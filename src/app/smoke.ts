import { ExhibitError } from "../evidence/errors.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import { formatDuration } from "../evidence/quantities.ts";
import type { Deps } from "./deps.ts";
import { smokeRound, type Begun, type RoundDeps } from "./smoke-round.ts";
import { SmokeSteps, type SmokeStep } from "./smoke-steps.ts";

export interface SmokeRequest {
  readonly store?: string;
  /** For all steps together; erasing has a limit of its own. */
  readonly timeoutMs: number;
}

/** How a smoke went. */
export interface Smoked {
  readonly store: string;
  readonly url: string;
  readonly startedAt: string;
  readonly totalMs: number;
  /** Of the synthetic file, which goes in two parts. */
  readonly bytes: number;
  readonly steps: readonly SmokeStep[];
  /** What went wrong first. */
  readonly failure: ExhibitError | undefined;
}

const erasingMs = 30_000;

/**
 * One round trip on the real store, with synthetic material that never enters a case: sign in, upload two parts, verify, share,
 * open the link as a stranger, revoke, prove it dead, erase. What has begun is erased whatever happens, also when it is
 * stopped.
 *
 * @throws ExhibitError `not-found.store`, `usage.*` before anything is done; the signal's reason. All other failures are in the result
 */
export async function smoke(
  deps: RoundDeps & Pick<Deps, "connect" | "locate">,
  { store, timeoutMs }: SmokeRequest,
  signal: AbortSignal,
): Promise<Smoked> {
  const place = await deps.locate(store);
  const startedAt = deps.clock.now().toISOString();
  const began = performance.now();
  const late = AbortSignal.timeout(timeoutMs);
  const stop = AbortSignal.any([signal, late]);
  const steps = new SmokeSteps();
  const begun: Begun = { bytes: 0 };
  let connection: Connection | undefined;
  let failure: Error | undefined;
  try {
    connection = await steps.take("sign-in", () => deps.connect(store));
    await smokeRound(deps, connection, steps, begun, stop);
  } catch (error) {
    failure = late.aborted ? tooLate(timeoutMs) : (error as Error);
  }
  const unerased = await eraseBegun(begun, steps);
  failure ??= unerased;
  await connection?.close();
  signal.throwIfAborted();
  if (failure !== undefined && !(failure instanceof ExhibitError)) throw failure;
  return {
    store: place.name,
    url: place.url,
    startedAt,
    totalMs: Math.round(performance.now() - began),
    bytes: begun.bytes,
    steps: steps.all(),
    failure,
  };
}

/** Erases also when a step has failed or was stopped; gives what went wrong with it. */
async function eraseBegun({ erasable }: Begun, steps: SmokeSteps): Promise<Error | undefined> {
  if (erasable === undefined) return undefined;
  const { room, entry } = erasable;
  try {
    await steps.take("erase", () => room.erase(entry, AbortSignal.timeout(erasingMs)));
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function tooLate(timeoutMs: number): ExhibitError {
  return new ExhibitError(
    "unavailable.store",
    `The round trip took longer than ${formatDuration(timeoutMs / 1000)}.`,
    {
      hint: "See which step took so long; give it more time with --timeout if that is as it should be.",
    },
  );
}
