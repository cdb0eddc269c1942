import type { Arrival, OwnCase } from "../arrival.ts";

export interface InboxQuery {
  /** Only this case, followed or not; left out, all of the caller's. */
  readonly case: string | undefined;
  /** Only what was sealed since (RFC 3339); left out, what the caller has not looked at yet. */
  readonly since: string | undefined;
}

/** What has landed, and where the order of arrivals stood then. */
export interface InboxPage {
  readonly arrivals: readonly Arrival[];
  /** Everything up to here was looked through. */
  readonly upTo: number;
  readonly isLast: boolean;
}

/** Tells what has landed in the caller's cases. @throws `policy.role`, `auth.*`, `unavailable.*` */
export interface Inbox {
  /** Oldest first; `after` is the `upTo` of the page before. */
  page(query: InboxQuery, after: number | undefined, signal: AbortSignal): Promise<InboxPage>;
  /**
   * Whatever lands behind `after`, as soon as it does, until the connection ends; `beat` now and then, and first of all. What was missed
   * in between comes when it is called again.
   *
   * @throws `auth.identity-revoked` when the caller's access is taken back meanwhile
   */
  follow(
    caseRef: string | undefined,
    after: number,
    signal: AbortSignal,
  ): AsyncIterable<Arrival | "beat">;
  /** The caller has looked at everything up to there. Never goes back. */
  seen(upTo: number, signal: AbortSignal): Promise<void>;
  cases(signal: AbortSignal): Promise<readonly OwnCase[]>;
  /** Repeating it succeeds. */
  setFollowed(caseRef: string, follow: boolean, signal: AbortSignal): Promise<void>;
}
