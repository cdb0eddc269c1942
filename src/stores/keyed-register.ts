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
import { proves } from "../evidence/proof.ts";
import { randomId } from "../evidence/random-id.ts";
import { recordSchema } from "../evidence/record.ts";
import { formatAddress } from "../evidence/address.ts";
import {
  sealedSchema,
  thumbprintOf,
  unverifiedPayload,
  type PublicJwk,
  type Sealed,
  type SigningKey,
} from "../evidence/seal.ts";
import { CaseReservations } from "./case-reservations.ts";
import { checkDocuments } from "../evidence/checked-documents.ts";
import { finishSealing, linesOf, sealInStore, type KeyedSealing } from "./keyed-sealing.ts";
import {
  entryOf,
  listReservations,
  readText,
  spoilt,
  takeReference,
  type ReservationDocument,
} from "./reservations.ts";

/** How often a reference is tried for one exhibit while other machines take the same ones first. */
const mostTries = 1000;

export interface RegisterKeys {
  /** What this machine signs with. */
  readonly signer: SigningKey;
  /** Thumbprints of other machines' keys whose signatures count here. */
  readonly trusted: ReadonlySet<string>;
}

/**
 * A register kept in any store itself, without a server: `reservation.json`, written without overwriting, takes a
 * reference; `record.json` is the commit point; the receipt is signed by this machine's key, which is also the pin. Exhibits
 * that another machine sealed are listed; their documents count where that machine's key is trusted here, by name.
 */
export function keyedRegister(
  store: Store,
  { signer, trusted }: RegisterKeys,
  clock: Clock,
): Register {
  const cases = new CaseReservations(store, signer.thumbprint, clock);
  return {
    issuerKey: signer.publicJwk,
    issuerKeyAt: (thumbprint) =>
      Promise.resolve(thumbprint === signer.thumbprint ? signer.publicJwk : undefined),
    needsInitials: store.capabilities.allotsReferences,

    async reserve(reservation, signal) {
      const { case: caseRef, sourceId, reference } = reservation;
      for (let tries = 0; tries < mostTries; tries += 1) {
        const found = await cases.ownOf(caseRef, sourceId, signal);
        if (found !== undefined) return requireWanted(found, reference);
        const taken = await take(reservation, signal);
        if (taken !== undefined) return entryOf(taken, false);
        // Others have reserved since the case was listed: perhaps this very source, by another process of this machine.
        cases.forget(caseRef);
        if (reference !== undefined && tries > 0) break;
      }
      throw new ExhibitError(
        "conflict.exists",
        `${reference ?? "Every reference tried"} is taken in the case ${caseRef}.`,
        { hint: await wayOn(reservation, signal) },
      );
    },

    async lookup(caseRef, sourceIds, signal) {
      const own = await cases.allOwn(caseRef, signal);
      const found = new Map<string, ExhibitEntry>();
      for (const sourceId of sourceIds) {
        const entry = own.get(sourceId);
        if (entry !== undefined) found.set(sourceId, entry);
      }
      return found;
    },

    async sealRecord(entry, record, proofs, signal) {
      const receipt = await sealInStore(await sealingOf(entry, signal), record, proofs, signal);
      const { proof } = store.capabilities;
      if (receipt === undefined || !proves(proof, "transport")) return read(entry, signal);
      return checkDocuments(entry, record, receipt, signer.publicJwk);
    },

    async find(address, signal) {
      if (address.kind === "reference" && address.case !== undefined) {
        const { case: caseRef, reference } = address;
        const found = await cases.of({ case: caseRef, reference }, signal);
        if (found === undefined) return [];
        const record = await store.stat(keyOf(found, recordName), signal);
        return [entryOf(found, record !== undefined)];
      }
      const found: ExhibitEntry[] = [];
      for await (const { entry } of listReservations(store, undefined, signal)) {
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
    return checkDocuments(entry, record, receipt, await issuerOf(entry, record, signal));
  }

  /** The key that must have signed an exhibit's receipt: of whoever reserved it, when that is this machine or one that is trusted. */
  async function issuerOf(
    entry: ExhibitEntry,
    record: Sealed,
    signal: AbortSignal,
  ): Promise<PublicJwk> {
    const submitter = (await cases.of(entry, signal))?.submitter;
    if (submitter === undefined || submitter === signer.thumbprint) return signer.publicJwk;
    if (!trusted.has(submitter)) throw sealedElsewhere(entry, submitter);
    // The key comes along in the record, and counts because it is the very one that was trusted by its thumbprint.
    const claimed = recordSchema.safeParse(unverifiedPayload(record)).data?.uploader.key;
    if (claimed === undefined || (await thumbprintOf(claimed)) !== submitter) {
      throw spoilt(keyOf(entry, recordName), undefined);
    }
    return claimed;
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
    const reservation = await cases.of(entry, signal);
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

  /** Writes the reservation of the wanted reference or the next free one; undefined when somebody else had it first. */
  async function take(
    wanted: Reservation,
    signal: AbortSignal,
  ): Promise<ReservationDocument | undefined> {
    const { case: caseRef, sourceId, totalBytes } = wanted;
    const reservation = {
      schema: "exhibit.reservation/1",
      id: randomId("x"),
      case: caseRef,
      reference: wanted.reference ?? (await allot(wanted, signal)),
      sourceId,
      submitter: signer.thumbprint,
      totalBytes,
      reservedAt: clock.now().toISOString(),
    } as const;
    try {
      if (!(await takeReference(store, reservation, signal))) {
        cases.lost(reservation);
        return undefined;
      }
    } catch (error) {
      // It may have been written all the same.
      cases.forget(caseRef);
      throw error;
    }
    await cases.add(reservation, signal);
    return reservation;
  }

  /** A reference that this machine took itself and has not sealed is not lost: its source id leads back to it. */
  async function wayOn(
    { case: caseRef, reference }: Reservation,
    signal: AbortSignal,
  ): Promise<string> {
    const other = "Choose another reference.";
    if (reference === undefined) return other;
    const holder = await cases.of({ case: caseRef, reference }, signal);
    if (holder?.submitter !== signer.thumbprint) return other;
    return `If this is the upload that took it, and its file has changed since, go on with it by --source-id ${holder.sourceId}. Otherwise choose another reference.`;
  }

  async function allot(
    { case: caseRef, initials }: Reservation,
    signal: AbortSignal,
  ): Promise<string> {
    const { allotsReferences } = store.capabilities;
    if (initials !== undefined && allotsReferences) {
      return cases.nextReference(caseRef, initials, signal);
    }
    throw new ExhibitError("usage.missing", "This store does not know whose exhibit this is.", {
      hint: allotsReferences
        ? "Give the producer's initials with --initials, or the whole reference with --ref ABC/1."
        : "Give the reference with --ref ABC/1.",
    });
  }
}

function keyOf(entry: Pick<ExhibitEntry, "case" | "reference">, name: string): string {
  return `${exhibitPrefix(entry.case, entry.reference)}/${name}`;
}

/** @throws ExhibitError `conflict.exists` when a source that is reserved already is wanted under another reference */
function requireWanted(found: ExhibitEntry, reference: string | undefined): ExhibitEntry {
  if (reference === undefined || reference === found.reference) return found;
  throw new ExhibitError(
    "conflict.exists",
    `This source was reserved as ${found.reference} before, not as ${reference}.`,
    {
      hint: `Leave the reference out or give ${found.reference}; for a new exhibit give another source id.`,
      facts: { reference: found.reference },
    },
  );
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

function sealedElsewhere(entry: ExhibitEntry, key: string): ExhibitError {
  return new ExhibitError(
    "integrity.signature",
    `${formatAddress(entry)} was sealed by another computer, whose key ${key} is not trusted here.`,
    {
      hint: `Have whoever has that computer read out the key that exhibit key list shows there. If it is this one: exhibit key trust --key ${key} --whose "NAME"`,
    },
  );
}
