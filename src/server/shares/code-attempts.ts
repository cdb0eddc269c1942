import type { Clock } from "../../evidence/ports/clock.ts";
import { limitGroup } from "./client-address.ts";
import { SlidingLimit } from "./sliding-limit.ts";

const minute = 60_000;

/**
 * Limits guessing: 5 wrong codes in 15 minutes from one client on one link, 20 an hour on one link, 50 an hour from
 * one client on all links. Links that do not exist are counted like those that do.
 */
export class CodeAttempts {
  readonly #rules: readonly { limit: SlidingLimit; key: (link: string, from: string) => string }[];

  constructor(clock: Clock) {
    this.#rules = [
      {
        limit: new SlidingLimit(clock, 5, 15 * minute),
        key: (link, from) => `${link} ${from}`,
      },
      { limit: new SlidingLimit(clock, 20, 60 * minute), key: (link) => link },
      { limit: new SlidingLimit(clock, 50, 60 * minute), key: (_, from) => from },
    ];
  }

  /**
   * Counts a try before it is made, so that many at once gain nothing. Returns how long to wait when there were too
   * many (then it is not counted), else how to take the count back after a right code.
   *
   * @param link the link's token as its digest
   */
  begin(link: string, address: string): { waitMs: number } | { forgive: () => void } {
    const from = limitGroup(address);
    const waitMs = Math.max(...this.#rules.map(({ limit, key }) => limit.waitMs(key(link, from))));
    if (waitMs > 0) return { waitMs };
    for (const { limit, key } of this.#rules) limit.add(key(link, from));
    return {
      forgive: () => {
        for (const { limit, key } of this.#rules) limit.undo(key(link, from));
      },
    };
  }
}
