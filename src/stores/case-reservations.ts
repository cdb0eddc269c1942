import { exhibitPrefix, recordName } from "../evidence/key.ts";
import type { Clock } from "../evidence/ports/clock.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { Store } from "../evidence/ports/store.ts";
import {
  entryOf,
  listReservations,
  readReservation,
  reservationKey,
  type ReservationDocument,
} from "./reservations.ts";

/** A list is believed for so long: others reserve, too. */
const believedMs = 60_000;

/** What is reserved in one case, as it was when it was listed, and what was reserved here since. */
interface Listed {
  readonly atMs: number;
  /** This machine's, by source id. */
  readonly own: Map<string, { readonly reservation: ReservationDocument; isSealed: boolean }>;
  /** The highest serial number that was seen or handed out, by initials. */
  readonly highest: Map<string, number>;
}

/**
 * The reservations of a store's cases, listed once for many exhibits of an upload. What others have reserved since then is noticed
 * where it matters: a number that is handed out here is only had by whoever writes its reservation first.
 */
export class CaseReservations {
  readonly #store: Store;
  readonly #thumbprint: string;
  readonly #clock: Clock;
  readonly #listings = new Map<string, Promise<Listed>>();
  /** By key; one never changes once it is written. */
  readonly #read = new Map<string, ReservationDocument>();
  /** Ids of those that were written in vain, of which one may lie over the first where a store cannot take it away again. */
  readonly #lost = new Set<string>();

  constructor(store: Store, thumbprint: string, clock: Clock) {
    this.#store = store;
    this.#thumbprint = thumbprint;
    this.#clock = clock;
  }

  /** What this machine has reserved for a source; another machine's reservation for a source of the same name is another upload. */
  async ownOf(
    caseRef: string,
    sourceId: string,
    signal: AbortSignal,
  ): Promise<ExhibitEntry | undefined> {
    const found = (await this.#listed(caseRef, signal)).own.get(sourceId);
    if (found === undefined) return undefined;
    const { reservation } = found;
    if (!found.isSealed) {
      const record = `${exhibitPrefix(caseRef, reservation.reference)}/${recordName}`;
      found.isSealed = (await this.#store.stat(record, signal)) !== undefined;
    }
    return entryOf(reservation, found.isSealed);
  }

  /** All that this machine has reserved in a case, by source id, listed anew. */
  async allOwn(caseRef: string, signal: AbortSignal): Promise<ReadonlyMap<string, ExhibitEntry>> {
    this.forget(caseRef);
    const { own } = await this.#listed(caseRef, signal);
    const entries = [...own.values()].map(
      ({ reservation, isSealed }) =>
        [reservation.sourceId, entryOf(reservation, isSealed)] as const,
    );
    return new Map(entries);
  }

  /** The reservation of a reference, if it is taken. */
  async of(
    exhibit: { readonly case: string; readonly reference: string },
    signal: AbortSignal,
  ): Promise<ReservationDocument | undefined> {
    const key = reservationKey(exhibit);
    const found = this.#read.get(key) ?? (await readReservation(this.#store, key, signal));
    if (found === undefined || this.#lost.has(found.id)) return undefined;
    this.#read.set(key, found);
    return found;
  }

  /** A reference under these initials that nobody was seen to have, and that was not handed out here: in the order of the calls. */
  async nextReference(caseRef: string, initials: string, signal: AbortSignal): Promise<string> {
    const { highest } = await this.#listed(caseRef, signal);
    const serial = (highest.get(initials) ?? 0) + 1;
    highest.set(initials, serial);
    return `${initials}/${serial}`;
  }

  /** Remembers what was written just now. */
  async add(reservation: ReservationDocument, signal: AbortSignal): Promise<void> {
    this.#read.set(reservationKey(reservation), reservation);
    const { own } = await this.#listed(reservation.case, signal);
    own.set(reservation.sourceId, { reservation, isSealed: false });
  }

  /** Believes a reservation no more that somebody else's came before. */
  lost({ id }: ReservationDocument): void {
    this.#lost.add(id);
  }

  /** Has a case listed again: something was reserved by others, or nobody knows whether something was. */
  forget(caseRef: string): void {
    this.#listings.delete(caseRef);
  }

  async #listed(caseRef: string, signal: AbortSignal): Promise<Listed> {
    const before = this.#listings.get(caseRef);
    if (before !== undefined) {
      const listed = await before;
      if (this.#clock.now().getTime() - listed.atMs < believedMs) return listed;
      if (this.#listings.get(caseRef) === before) this.forget(caseRef);
      return this.#listed(caseRef, signal);
    }
    const listing = this.#list(caseRef, signal);
    this.#listings.set(caseRef, listing);
    try {
      return await listing;
    } catch (error) {
      if (this.#listings.get(caseRef) === listing) this.forget(caseRef);
      throw error;
    }
  }

  async #list(caseRef: string, signal: AbortSignal): Promise<Listed> {
    const atMs = this.#clock.now().getTime();
    const listed: Listed = { atMs, own: new Map(), highest: new Map() };
    const all = listReservations(this.#store, caseRef, signal, this.#read);
    for await (const { reservation, entry } of all) {
      if (reservation.submitter === this.#thumbprint && !this.#lost.has(reservation.id)) {
        listed.own.set(reservation.sourceId, { reservation, isSealed: entry.state === "sealed" });
      }
      const [initials = "", serial] = reservation.reference.split("/");
      listed.highest.set(initials, Math.max(listed.highest.get(initials) ?? 0, Number(serial)));
    }
    return listed;
  }
}
