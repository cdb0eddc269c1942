/** How long a transfer keeps trying when a store is not there. */
export interface Patience {
  /** Tries of one request that fails while others succeed, or gets answers that make no sense; the first included. */
  readonly tries: number;
  /** Time from the first failure of one request until it is given up; infinite where nobody said so. */
  readonly giveUpAfterMs: number;
  /** Longest wait before the first repetition; it doubles with each one. */
  readonly baseMs: number;
  /** Longest wait before any repetition, where the store does not ask for more. */
  readonly capMs: number;
}

/** What has begun goes on by itself, however long the network is gone; `--give-up-after` is for scripts. */
export const defaultPatience: Patience = {
  tries: 40,
  giveUpAfterMs: Infinity,
  baseMs: 500,
  capMs: 30_000,
};
