import {
  checkCustody,
  emptyCustody,
  nextCustodyLine,
  type CustodyEvent,
} from "../evidence/custody.ts";
import { sha256Of } from "../evidence/digest.ts";
import { ExhibitError, hasCode } from "../evidence/errors.ts";
import { custodyName, exhibitPrefix, receiptName, recordName } from "../evidence/key.ts";
import type { Clock } from "../evidence/ports/clock.ts";
import type { Proofs } from "../evidence/ports/register.ts";
import type { Store } from "../evidence/ports/store.ts";
import { proofSchema } from "../evidence/proof.ts";
import { receiptSchema, receiptType } from "../evidence/receipt.ts";
import { recordSchema, recordType, type ExhibitRecord } from "../evidence/record.ts";
import { openSealed, seal, type Sealed, type SigningKey } from "../evidence/seal.ts";
import { readText, spoilt, type ReservationDocument } from "./reservations.ts";

export interface KeyedSealing {
  readonly store: Store;
  readonly signer: SigningKey;
  readonly clock: Clock;
  readonly reservation: ReservationDocument;
}

/**
 * Writes an exhibit's custody log, then its record (the commit point), then its receipt, none over another. After a
 * crash in between, the same call goes on: the custody log that lies there is kept, because it holds nothing of the
 * record but its files.
 *
 * @returns the receipt, or undefined where there is one already
 * @throws ExhibitError `integrity.signature`, `integrity.mismatch`, `conflict.sealed`
 */
export async function sealInStore(
  sealing: KeyedSealing,
  sealedRecord: Sealed,
  proofs: Proofs,
  signal: AbortSignal,
): Promise<Sealed | undefined> {
  const { store, signer, clock, reservation } = sealing;
  const prefix = exhibitPrefix(reservation.case, reservation.reference);
  const recordText = JSON.stringify(sealedRecord);
  const record = recordSchema.parse(await openSealed(sealedRecord, recordType, signer.publicJwk));
  await checkRecord(sealing, record, proofs, signal);

  const lines = await settleCustody(sealing, record, proofs, signal);
  try {
    await put(store, `${prefix}/${recordName}`, recordText, signal);
  } catch (error) {
    throw hasCode(error, "conflict.exists") ? sealedOtherwise() : error;
  }
  const { head } = checkCustody(lines);
  const { check } = store.capabilities;
  const receipt = receiptSchema.parse({
    schema: receiptType,
    id: record.id,
    case: record.case,
    reference: record.reference,
    receivedAt: clock.now().toISOString(),
    record: { sha256: sha256Of(recordText) },
    files: record.files.map(({ key, sizeBytes, digest }) => {
      const { proof, kept } = proofs.get(key) ?? {};
      return { key, sizeBytes, digest, proof, ...(kept === undefined ? {} : { kept }) };
    }),
    issuer: {
      kind: "machine",
      store: store.url,
      key: signer.publicJwk,
      thumbprint: signer.thumbprint,
    },
    ...(check === undefined ? {} : { storeCheck: check }),
    custody: head,
  });
  const sealedReceipt = await seal(receipt, receiptType, signer);
  try {
    await put(store, `${prefix}/${receiptName}`, JSON.stringify(sealedReceipt), signal);
  } catch (error) {
    // Made before, by this machine or by another process of it: a receipt is given once.
    if (!hasCode(error, "conflict.exists")) throw error;
    return undefined;
  }
  return sealedReceipt;
}

/**
 * Writes the receipt of an exhibit whose record lies in the store without one, because a crash came between them. How
 * its files were proved is in its custody log; what the store keeps of them is not, and the receipt does not say it.
 *
 * @throws ExhibitError `integrity.signature` when this machine did not sign the record; `integrity.mismatch`,
 * `integrity.chain`
 */
export async function finishSealing(
  sealing: KeyedSealing,
  sealedRecord: Sealed,
  signal: AbortSignal,
): Promise<void> {
  const { store, reservation } = sealing;
  const key = `${exhibitPrefix(reservation.case, reservation.reference)}/${custodyName}`;
  const text = await readText(store, key, signal);
  if (text === undefined) throw spoilt(key, undefined);
  await sealInStore(sealing, sealedRecord, proofsIn(key, linesOf(text)), signal);
}

function proofsIn(key: string, lines: readonly string[]): Proofs {
  const { events } = checkCustody(lines);
  const proved = events.filter(({ verb }) => verb === "proved");
  try {
    return new Map(
      proved.map(({ facts }) => [
        String(facts["key"]),
        { proof: proofSchema.parse(facts["proof"]) },
      ]),
    );
  } catch (cause) {
    throw spoilt(key, cause);
  }
}

async function checkRecord(
  { store, signer, reservation }: KeyedSealing,
  record: ExhibitRecord,
  proofs: Proofs,
  signal: AbortSignal,
): Promise<void> {
  const { id, case: caseRef, reference, sourceId } = reservation;
  const same =
    record.id === id &&
    record.case === caseRef &&
    record.reference === reference &&
    record.sourceId === sourceId &&
    record.uploader.thumbprint === signer.thumbprint;
  if (!same) throw disagrees("it is about another exhibit");
  const prefix = exhibitPrefix(caseRef, reference);
  const held = new Map<string, number>();
  for await (const { key, sizeBytes } of store.list(
    `${prefix}/${prefix.split("/")[1] ?? ""}-`,
    signal,
  )) {
    held.set(key, sizeBytes);
  }
  for (const file of record.files) {
    if (held.get(file.key) !== file.sizeBytes || !proofs.has(file.key)) {
      throw disagrees(`the store does not hold ${file.key} as it says`);
    }
    held.delete(file.key);
  }
  const [extra] = held.keys();
  if (extra !== undefined) throw disagrees(`the store holds ${extra} besides`);
}

/** The custody log: the one that lies there from an earlier try, else a new one. */
async function settleCustody(
  sealing: KeyedSealing,
  record: ExhibitRecord,
  proofs: Proofs,
  signal: AbortSignal,
): Promise<string[]> {
  const { store, reservation } = sealing;
  const key = `${exhibitPrefix(reservation.case, reservation.reference)}/${custodyName}`;
  const made = custodyOf(sealing, record, proofs);
  let text = made;
  try {
    await put(store, key, made, signal);
  } catch (error) {
    if (!hasCode(error, "conflict.exists")) throw error;
    text = (await readText(store, key, signal)) ?? made;
  }
  const lines = linesOf(text);
  const { events } = checkCustody(lines);
  if (!tellsOf(events, record)) throw sealedOtherwise();
  return lines;
}

function custodyOf(
  { signer, clock, reservation }: KeyedSealing,
  record: ExhibitRecord,
  proofs: Proofs,
): string {
  const now = clock.now().toISOString();
  const events: Pick<CustodyEvent, "at" | "verb" | "facts">[] = [
    { at: reservation.reservedAt, verb: "reserved", facts: { reference: reservation.reference } },
    ...record.files.flatMap(({ key, sizeBytes, digest }) => [
      { at: now, verb: "received" as const, facts: { key, sizeBytes } },
      {
        at: now,
        verb: "proved" as const,
        facts: { key, sha256: digest.sha256, proof: proofs.get(key)?.proof ?? "" },
      },
    ]),
    { at: now, verb: "collected", facts: { collectedAt: record.collectedAt } },
    { at: now, verb: "sealed", facts: { files: record.files.length } },
  ];
  let head = emptyCustody;
  let text = "";
  for (const event of events) {
    const next = nextCustodyLine(head, {
      ...event,
      exhibit: reservation.id,
      actor: signer.thumbprint,
    });
    head = next.after;
    text += `${next.line}\n`;
  }
  return text;
}

export function linesOf(custody: string): string[] {
  return custody.split("\n").filter((line) => line !== "");
}

/** True when a log's proved files are the record's, no more and no less. */
function tellsOf(events: readonly CustodyEvent[], record: ExhibitRecord): boolean {
  const proved = events
    .filter((event) => event.verb === "proved")
    .map(({ facts }) => `${facts["key"] ?? ""} ${facts["sha256"] ?? ""}`);
  const named = record.files.map(({ key, digest }) => `${key} ${digest.sha256}`);
  return events[0]?.exhibit === record.id && proved.sort().join("\n") === named.sort().join("\n");
}

async function put(store: Store, key: string, text: string, signal: AbortSignal): Promise<void> {
  await store.put(key, Buffer.from(text), sha256Of(text), signal);
}

function disagrees(how: string): ExhibitError {
  return new ExhibitError("integrity.mismatch", `The record does not fit the store: ${how}.`, {
    hint: "Nothing was sealed. Run the same upload command again.",
  });
}

function sealedOtherwise(): ExhibitError {
  return new ExhibitError("conflict.sealed", "This exhibit was sealed with another record.", {
    hint: "A sealed exhibit never changes. Upload a correction as a new exhibit that names this one.",
  });
}
