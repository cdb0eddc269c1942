import { setTimeout as pause } from "node:timers/promises";
import type { Arrival, OwnCase } from "../evidence/arrival.ts";
import { caseSchema } from "../evidence/case.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { Inbox, InboxQuery } from "../evidence/ports/inbox.ts";
import { persistently } from "../transfer/persistence.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface InboxRequest {
  readonly store?: string;
  readonly case?: string;
  /** RFC 3339. */
  readonly since?: string;
  /** Go on with what lands from now on, until it is stopped. */
  readonly follow: boolean;
  /** Told of each, oldest first; false where nobody wants to know of more. */
  onArrival(arrival: Arrival): Promise<boolean>;
}

type InboxDeps = Pick<Deps, "connect" | "patience" | "outage" | "onEvent">;

/** Between two lines, so that a server which ends each at once is not overrun. */
const betweenLinesMs = 500;

/**
 * Tells what has landed in the caller's cases since they looked last, and with `follow` what lands from then on: nothing twice,
 * and nothing left out however often server or network are gone meanwhile. What was told counts as looked at, unless it was asked for
 * by time or by case.
 *
 * @throws ExhibitError `policy.unsupported` on a store without a server; `policy.role`; `auth.identity-revoked`; `unavailable.*` when
 * patience ends; the signal's reason
 */
export async function inbox(
  deps: InboxDeps,
  request: InboxRequest,
  signal: AbortSignal,
): Promise<void> {
  const { since } = request;
  const caseRef =
    request.case === undefined ? undefined : checked(caseSchema, request.case, "The case");
  await connected(deps, request.store, async (connection) => {
    const query = { case: caseRef, since };
    const marks = caseRef === undefined && since === undefined;
    const reading = new Reading(deps, inboxAt(connection), request, { query, marks }, signal);
    if (!(await reading.pages()) || !request.follow) return;
    while (await reading.line()) {
      await pause(Math.random() * betweenLinesMs, undefined, { signal });
    }
  });
}

/** The caller's cases, by name. @throws ExhibitError as {@link inbox} */
export async function ownCases(
  deps: Pick<Deps, "connect">,
  { store }: { readonly store?: string },
  signal: AbortSignal,
): Promise<readonly OwnCase[]> {
  return connected(deps, store, (connection) => inboxAt(connection).cases(signal));
}

/** Follows a case from now on, or does so no more. Repeating it succeeds. @throws ExhibitError as {@link inbox} */
export async function followCase(
  deps: Pick<Deps, "connect">,
  request: { readonly store?: string; readonly case: string; readonly follow: boolean },
  signal: AbortSignal,
): Promise<{ readonly case: string; readonly follow: boolean }> {
  const caseRef = checked(caseSchema, request.case, "The case");
  await connected(deps, request.store, (connection) =>
    inboxAt(connection).setFollowed(caseRef, request.follow, signal),
  );
  return { case: caseRef, follow: request.follow };
}

function inboxAt({ name, inbox: found }: Connection): Inbox {
  if (found !== undefined) return found;
  throw new ExhibitError("policy.unsupported", `The store ${name} does not tell what has landed.`, {
    hint: "Only an exhibit server does: name it with --store. Here, compare what exhibit list --case shows.",
  });
}

class Reading {
  readonly #deps: InboxDeps;
  readonly #inbox: Inbox;
  readonly #onArrival: InboxRequest["onArrival"];
  readonly #query: InboxQuery;
  readonly #marks: boolean;
  readonly #signal: AbortSignal;
  #upTo: number | undefined;
  #marked = 0;

  constructor(
    deps: InboxDeps,
    inboxPort: Inbox,
    request: InboxRequest,
    { query, marks }: { readonly query: InboxQuery; readonly marks: boolean },
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#inbox = inboxPort;
    this.#onArrival = (arrival) => request.onArrival(arrival);
    this.#query = query;
    this.#marks = marks;
    this.#signal = signal;
  }

  /** What has landed up to now. @returns false where nobody wants to know of more */
  async pages(): Promise<boolean> {
    for (;;) {
      const after = this.#upTo;
      const page = await persistently(
        () => this.#inbox.page(this.#query, after, this.#signal),
        this.#deps,
        this.#signal,
      );
      for (const arrival of page.arrivals) if (!(await this.#onArrival(arrival))) return false;
      this.#upTo = page.upTo;
      await this.#mark();
      if (page.isLast) return true;
    }
  }

  /** What lands while one line stands. @returns false where nobody wants to know of more */
  line(): Promise<boolean> {
    return persistently(() => this.#line(), this.#deps, this.#signal);
  }

  async #line(): Promise<boolean> {
    let stood = false;
    try {
      const told = this.#inbox.follow(this.#query.case, this.#upTo ?? 0, this.#signal);
      for await (const event of told) {
        stood = true;
        if (event === "beat") await this.#mark();
        else if (!(await this.#onArrival(event))) return false;
        else this.#upTo = event.seq;
      }
    } catch (error) {
      // One that stood and broke is taken up again at once; what does not pass is thrown by the next.
      const passes = error instanceof ExhibitError && error.code.startsWith("unavailable.");
      if (!stood || !passes) throw error;
    }
    return true;
  }

  async #mark(): Promise<void> {
    if (!this.#marks || this.#upTo === undefined || this.#upTo <= this.#marked) return;
    const upTo = this.#upTo;
    await this.#inbox.seen(upTo, this.#signal);
    this.#marked = upTo;
  }
}
