/** How long a transfer keeps trying when a store is not there. */
export interface Patience {
  /** Tries of one request, the first included. */
  readonly tries: number;
  /** Time from the first failure of one request until it is given up. */
  readonly giveUpAfterMs: number;
  /** Longest wait before the first repetition; it doubles with each one. */
  readonly baseMs: number;
  /** Longest wait before any repetition, where the store does not ask for more. */
  readonly capMs: number;
}

/** Outlasts a router's restart and a short outage; a longer one ends with exit code 7 and `exhibit resume`. */
export const defaultPatience: Patience = {
  tries: 40,
  giveUpAfterMs: 15 * 60_000,
  baseMs: 500,
  capMs: 30_000,
};
