import { formatAddress } from "./address.ts";
import { sha256Of } from "./digest.ts";
import { ExhibitError } from "./errors.ts";
import type { ExhibitEntry, SealedExhibit } from "./ports/register.ts";
import { receiptSchema, receiptType, type Receipt } from "./receipt.ts";
import { recordSchema, recordType, type ExhibitRecord } from "./record.ts";
import { openSealed, unverifiedPayload, type PublicJwk, type Sealed } from "./seal.ts";

/**
 * An exhibit's documents, when they hold together: the receipt signed by the pinned key, the record the very one whose digest
 * the receipt carries and signed by the uploader it names, and both about this exhibit and the same files.
 *
 * @throws ExhibitError `integrity.signature`, `integrity.mismatch`
 */
export async function checkDocuments(
  entry: ExhibitEntry,
  sealedRecord: Sealed,
  sealedReceipt: Sealed,
  issuerKey: PublicJwk,
): Promise<SealedExhibit> {
  const receipt = await checkReceipt(entry, sealedRecord, sealedReceipt, issuerKey);
  // The receipt's pinned signature covers the record, and with it the uploader's key inside.
  const claimed = recordSchema.safeParse(unverifiedPayload(sealedRecord));
  if (!claimed.success) throw disagree(entry, "the record is not well formed");
  await openSealed(sealedRecord, recordType, claimed.data.uploader.key);
  const record = claimed.data;
  if (!sameExhibit(entry, record)) throw disagree(entry, "they are about another exhibit");
  if (!sameFiles(record, receipt)) throw disagree(entry, "their files differ");
  return { ...entry, state: "sealed", record, sealedRecord, receipt, sealedReceipt };
}

/**
 * An exhibit's receipt, when the pinned key has signed it for this exhibit and this very record. Its files are not looked at.
 *
 * @throws ExhibitError `integrity.signature`, `integrity.mismatch`
 */
export async function checkReceipt(
  entry: ExhibitEntry,
  sealedRecord: Sealed,
  sealedReceipt: Sealed,
  issuerKey: PublicJwk,
): Promise<Receipt> {
  const receipt = await openReceipt(entry, sealedReceipt, issuerKey);
  if (sha256Of(JSON.stringify(sealedRecord)) !== receipt.record.sha256) {
    throw disagree(entry, "the receipt is for another record");
  }
  if (!sameExhibit(entry, receipt)) throw disagree(entry, "they are about another exhibit");
  return receipt;
}

async function openReceipt(
  entry: ExhibitEntry,
  sealedReceipt: Sealed,
  issuerKey: PublicJwk,
): Promise<Receipt> {
  const found = receiptSchema.safeParse(await openSealed(sealedReceipt, receiptType, issuerKey));
  if (found.success) return found.data;
  throw disagree(entry, "the receipt is not well formed");
}

function sameExhibit(entry: ExhibitEntry, document: ExhibitRecord | Receipt): boolean {
  return (
    document.id === entry.id &&
    document.case === entry.case &&
    document.reference === entry.reference
  );
}

function sameFiles(record: ExhibitRecord, receipt: Receipt): boolean {
  const line = (file: { key: string; sizeBytes: number; digest: { sha256: string } }): string =>
    `${file.key} ${file.sizeBytes} ${file.digest.sha256}`;
  const inRecord = record.files.map(line).sort();
  const inReceipt = receipt.files.map(line).sort();
  return inRecord.join("\n") === inReceipt.join("\n");
}

function disagree(entry: ExhibitEntry, how: string): ExhibitError {
  return new ExhibitError(
    "integrity.mismatch",
    `Record and receipt of ${formatAddress(entry)} do not hold together: ${how}.`,
    { hint: "Do not rely on them. Keep everything as it is and tell the store's administrator." },
  );
}
