import { ExhibitError } from "../evidence/errors.ts";
import { custodyName, exhibitPrefix, receiptName, recordName } from "../evidence/key.ts";
import type { Clock } from "../evidence/ports/clock.ts";
import type {
  ExhibitEntry,
  Register,
  Reservation,
  SealedExhibit,
} from "../evidence/ports/register.ts";
import type { Store } from "../evidence/ports/store.ts";
import { randomId } from "../evidence/random-id.ts";
import { sealedSchema, type Sealed, type SigningKey } from "../evidence/seal.ts";
import { checkDocuments } from "./checked-documents.ts";
import { finishSealing, linesOf, sealInStore, type KeyedSealing } from "./keyed-sealing.ts";
import {
  entryOf,
  findReservation,
  listReservations,
  readText,
  spoilt,
  takeReference,
  type ReservationDocument,
} from "./reservations.ts";

/** References tried for one exhibit while other machines take them at the same time. */
const mostTries = 1000;

/**
 * A register kept in any store itself, without a server: `reservation.json`, written without overwriting, takes a
 * reference; `record.json` is the commit point; the receipt is signed by this machine's key, which is also the pin: exhibits
 * that another machine sealed are listed, and their documents refused as signed by an unknown key.
 */
export function keyedRegister(store: Store, signer: SigningKey, clock: Clock): Register {
  /** Of the cases that something was reserved in: many exhibits of one upload would read the same ones again and again. */
  const known = new Map<string, ReservationDocument>();
  return {
    issuerKey: signer.publicJwk,
    needsInitials: store.capabilities.allotsReferences,

    async reserve(reservation, signal) {
      const found = await findOwn(reservation, signal);
      if (found === undefined) return entryOf(await take(reservation, signal), false);
      const { reference } = reservation;
      if (reference === undefined || reference === found.reference) return found;
      throw new ExhibitError(
        "conflict.exists",
        `This source was reserved as ${found.reference} before, not as ${reference}.`,
        {
          hint: `Leave the reference out or give ${found.reference}; for a new exhibit give another source id.`,
          facts: { reference: found.reference },
        },
      );
    },

    async lookup(caseRef, sourceIds, signal) {
      const wanted = new Set(sourceIds);
      const found = new Map<string, ExhibitEntry>();
      for await (const { reservation, entry } of listReservations(store, caseRef, signal)) {
        const { sourceId, submitter } = reservation;
        const isOwn = submitter === signer.thumbprint && wanted.has(sourceId);
        if (isOwn) found.set(sourceId, entry);
      }
      return found;
    },

    async sealRecord(entry, record, proofs, signal) {
      await sealInStore(await sealingOf(entry, signal), record, proofs, signal);
      return read(entry, signal);
    },

    async find(address, signal) {
      const found: ExhibitEntry[] = [];
      const caseRef = address.kind === "reference" ? address.case : undefined;
      for await (const { entry } of listReservations(store, caseRef, signal)) {
        const fits =
          address.kind === "id" ? entry.id === address.id : entry.reference === address.reference;
        if (fits) found.push(entry);
      }
      return found;
    },

    read,

    async *list(caseRef, signal) {
      for await (const { entry } of listReservations(store, caseRef, signal)) yield entry;
    },

    async custody(entry, signal) {
      const text = await readText(store, keyOf(entry, custodyName), signal);
      return linesOf(text ?? "");
    },
  };

  async function read(entry: ExhibitEntry, signal: AbortSignal): Promise<SealedExhibit> {
    const record = await readSealed(keyOf(entry, recordName), signal);
    if (record === undefined) throw unknownExhibit();
    const kept = await readSealed(keyOf(entry, receiptName), signal);
    const receipt = kept ?? (await finish(entry, record, signal));
    return checkDocuments(entry, record, receipt, signer.publicJwk);
  }

  /** The receipt that a crash behind the record has left unwritten. */
  async function finish(entry: ExhibitEntry, record: Sealed, signal: AbortSignal): Promise<Sealed> {
    await finishSealing(await sealingOf(entry, signal), record, signal);
    const receipt = await readSealed(keyOf(entry, receiptName), signal);
    if (receipt === undefined) throw unknownExhibit();
    return receipt;
  }

  /** Only this machine's own exhibits are sealed here. */
  async function sealingOf(entry: ExhibitEntry, signal: AbortSignal): Promise<KeyedSealing> {
    const reservation = await findReservation(store, entry, signal);
    if (reservation?.id !== entry.id || reservation.submitter !== signer.thumbprint) {
      throw unknownExhibit();
    }
    return { store, signer, clock, reservation };
  }

  async function readSealed(key: string, signal: AbortSignal): Promise<Sealed | undefined> {
    const text = await readText(store, key, signal);
    if (text === undefined) return undefined;
    try {
      return sealedSchema.parse(JSON.parse(text));
    } catch (cause) {
      throw spoilt(key, cause);
    }
  }

  /** Only ours: another machine's reservation for a source of the same name is another upload. */
  async function findOwn(
    { case: caseRef, sourceId }: Reservation,
    signal: AbortSignal,
  ): Promise<ExhibitEntry | undefined> {
    for await (const { reservation, entry } of listReservations(store, caseRef, signal, known)) {
      if (reservation.submitter === signer.thumbprint && reservation.sourceId === sourceId) {
        return entry;
      }
    }
    return undefined;
  }

  async function take(wanted: Reservation, signal: AbortSignal): Promise<ReservationDocument> {
    const document = {
      id: randomId("x"),
      case: wanted.case,
      sourceId: wanted.sourceId,
      submitter: signer.thumbprint,
      totalBytes: wanted.totalBytes,
      reservedAt: clock.now().toISOString(),
    };
    for (const reference of await candidates(wanted, signal)) {
      const reservation = { ...document, reference };
      if (await takeReference(store, reservation, signal)) {
        return { schema: "exhibit.reservation/1", ...reservation };
      }
    }
    throw new ExhibitError(
      "conflict.exists",
      `${wanted.reference ?? "Every reference tried"} is taken in the case ${wanted.case}.`,
      { hint: await wayOn(wanted, signal) },
    );
  }

  /** A reference that this machine took itself and has not sealed is not lost: its source id leads back to it. */
  async function wayOn(
    { case: caseRef, reference }: Reservation,
    signal: AbortSignal,
  ): Promise<string> {
    const other = "Choose another reference.";
    if (reference === undefined) return other;
    const holder = await findReservation(store, { case: caseRef, reference }, signal);
    if (holder?.submitter !== signer.thumbprint) return other;
    return `If this is the upload that took it, and its file has changed since, go on with it by --source-id ${holder.sourceId}. Otherwise choose another reference.`;
  }

  async function candidates(wanted: Reservation, signal: AbortSignal): Promise<Iterable<string>> {
    const { reference, initials, case: caseRef } = wanted;
    if (reference !== undefined) return [reference];
    if (initials === undefined || !store.capabilities.allotsReferences) {
      throw new ExhibitError("usage.missing", "This store does not know whose exhibit this is.", {
        hint: store.capabilities.allotsReferences
          ? "Give the producer's initials with --initials, or the whole reference with --ref ABC/1."
          : "Give the reference with --ref ABC/1.",
      });
    }
    let highest = 0;
    for await (const { entry } of listReservations(store, caseRef, signal, known)) {
      const [letters, serial] = entry.reference.split("/");
      if (letters === initials) highest = Math.max(highest, Number(serial));
    }
    return Array.from({ length: mostTries }, (_, index) => `${initials}/${highest + 1 + index}`);
  }
}

function keyOf(entry: ExhibitEntry, name: string): string {
  return `${exhibitPrefix(entry.case, entry.reference)}/${name}`;
}

function unknownExhibit(): ExhibitError {
  return new ExhibitError(
    "not-found.exhibit",
    "There is no such exhibit, or it is not sealed yet.",
    {
      hint: "Check the case and the reference; if its upload was interrupted, run it again.",
    },
  );
}
