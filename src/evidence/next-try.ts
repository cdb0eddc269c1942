import type { ExhibitError } from "./errors.ts";

/** How long the other end asks to be left alone (`facts.retryAfterSeconds`), in ms; 0 where it asks for nothing. */
export function askedMs({ facts }: ExhibitError): number {
  const asked = Number(facts["retryAfterSeconds"] ?? 0) * 1000;
  return Number.isFinite(asked) ? Math.max(asked, 0) : 0;
}

/**
 * A wait before the next try, in ms: anything from nothing to `firstMs` doubled so many times, `mostMs` at the most (full jitter), so that
 * many machines do not come back at once.
 */
export function jitteredMs(firstMs: number, doublings: number, mostMs = Infinity): number {
  return Math.random() * Math.min(mostMs, firstMs * 2 ** doublings);
}
