import { buffer } from "node:stream/consumers";
import { z } from "zod";
import { exhibitIdSchema } from "../evidence/address.ts";
import { caseSegment, heldCaseSchema } from "../evidence/case.ts";
import { sha256Of } from "../evidence/digest.ts";
import { ExhibitError, hasCode } from "../evidence/errors.ts";
import { exhibitPrefix, recordName, reservationName } from "../evidence/key.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { Store } from "../evidence/ports/store.ts";
import { smokePrefix } from "../evidence/smoke.ts";
import { referenceSchema } from "../evidence/reference.ts";

const reservationSchema = z.strictObject({
  schema: z.literal("exhibit.reservation/1"),
  id: exhibitIdSchema,
  case: heldCaseSchema,
  reference: referenceSchema,
  sourceId: z.string(),
  /** Thumbprint of the machine's key. */
  submitter: z.string(),
  totalBytes: z.number().int().nonnegative(),
  reservedAt: z.iso.datetime(),
});

/** Who has a reference, and for what: the document that takes it in a store without a server. */
export type ReservationDocument = z.infer<typeof reservationSchema>;

/** Takes a reference by writing its document without overwriting. False when it is taken. */
export async function takeReference(
  store: Store,
  document: ReservationDocument,
  signal: AbortSignal,
): Promise<boolean> {
  const bytes = Buffer.from(`${JSON.stringify(document)}\n`);
  const key = reservationKey(document);
  try {
    await store.put(key, bytes, sha256Of(bytes), signal);
    return true;
  } catch (error) {
    if (hasCode(error, "conflict.exists")) return false;
    throw error;
  }
}

/** Where the reservation of a reference lies. */
export function reservationKey(exhibit: {
  readonly case: string;
  readonly reference: string;
}): string {
  return `${exhibitPrefix(exhibit.case, exhibit.reference)}/${reservationName}`;
}

/** The reservation under a key, if there is one. @throws ExhibitError `integrity.mismatch` when it was altered */
export async function readReservation(
  store: Store,
  key: string,
  signal: AbortSignal,
): Promise<ReservationDocument | undefined> {
  const text = await readText(store, key, signal);
  return text === undefined ? undefined : parseReservation(key, text);
}

/**
 * All reservations, of one case or of all, in key order, each with whether its record is there. One never changes once it is written:
 * those in `known`, by key, are not read again, and what is read is added.
 */
export async function* listReservations(
  store: Store,
  caseRef: string | undefined,
  signal: AbortSignal,
  known?: Map<string, ReservationDocument>,
): AsyncGenerator<{ reservation: ReservationDocument; entry: ExhibitEntry }> {
  const prefix = caseRef === undefined ? "" : `${caseSegment(caseRef)}/`;
  let sealedFolder: string | undefined;
  for await (const { key } of store.list(prefix, signal)) {
    const folder = key.slice(0, key.lastIndexOf("/"));
    // In key order a record comes before the reservation of the same folder.
    if (key.endsWith(`/${recordName}`)) sealedFolder = folder;
    if (!key.endsWith(`/${reservationName}`)) continue;
    // Synthetic material is in no list but its own.
    if (caseRef === undefined && key.startsWith(smokePrefix)) continue;
    const reservation = known?.get(key) ?? (await readReservation(store, key, signal));
    if (reservation === undefined) continue;
    known?.set(key, reservation);
    yield { reservation, entry: entryOf(reservation, folder === sealedFolder) };
  }
}

export function entryOf(reservation: ReservationDocument, isSealed: boolean): ExhibitEntry {
  const { id, case: caseRef, reference, reservedAt } = reservation;
  return { id, case: caseRef, reference, state: isSealed ? "sealed" : "open", reservedAt };
}

/** A small document of the store as text, or undefined where there is none. */
export async function readText(
  store: Store,
  key: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await buffer(await store.open(key, undefined, signal))).toString("utf8");
  } catch (error) {
    if (hasCode(error, "not-found.content")) return undefined;
    throw error;
  }
}

/** Believed only where it lies: what it says must be what its key says. */
function parseReservation(key: string, text: string): ReservationDocument {
  try {
    const found = reservationSchema.parse(JSON.parse(text));
    if (key === reservationKey(found)) return found;
  } catch (cause) {
    throw spoilt(key, cause);
  }
  throw spoilt(key, undefined);
}

/** What a document of the store is when it cannot be read as what we wrote. */
export function spoilt(key: string, cause: unknown): ExhibitError {
  return new ExhibitError("integrity.mismatch", `${key} in the store is not what was written.`, {
    hint: "The store was altered or its disk is failing. Keep it as it is and tell its administrator.",
    cause,
  });
}
