import { text } from "node:stream/consumers";
import { checkDocuments } from "../../evidence/checked-documents.ts";
import { checkCustody, type CustodyEvent, type CustodyHead } from "../../evidence/custody.ts";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { custodyName, parseKey, receiptName, recordName } from "../../evidence/key.ts";
import type { Store } from "../../evidence/ports/store.ts";
import type { Receipt } from "../../evidence/receipt.ts";
import type { ExhibitRecord } from "../../evidence/record.ts";
import { sealedSchema, type Sealed } from "../../evidence/seal.ts";
import { recordLimitBytes } from "../exhibits/routes.ts";
import type { ExhibitFolder } from "./exhibit-folders.ts";
import type { Issuers } from "./issuers.ts";

/** An exhibit as its own documents tell it, all of which hold together. */
export interface FoundExhibit {
  readonly record: ExhibitRecord;
  readonly recordText: string;
  readonly receipt: Receipt;
  readonly receiptText: string;
  readonly custody: {
    readonly lines: readonly string[];
    readonly events: readonly CustodyEvent[];
    readonly head: CustodyHead;
  };
}

/**
 * Reads an exhibit's documents back from the content store, and believes them when the receipt was signed by a key that counts, the record is
 * the one that the receipt vouches for, the custody log ends where the receipt says, and every file lies there with its size. The
 * bytes of the files are not read.
 *
 * @throws ExhibitError `integrity.*`, and what the store throws
 */
export async function readDocuments(
  content: Store,
  folder: ExhibitFolder,
  issuers: Issuers,
  signal: AbortSignal,
): Promise<FoundExhibit> {
  const read = async (name: string): Promise<string> => {
    const size = folder.sizes.get(name);
    if (size === undefined) throw spoilt(`${name} is missing`);
    if (size > 2 * recordLimitBytes) throw spoilt(`${name} is too long`);
    return text(await content.open(`${folder.prefix}/${name}`, undefined, signal));
  };
  const [recordText, receiptText, custodyText] = [
    await read(recordName),
    await read(receiptName),
    await read(custodyName),
  ];
  const sealedReceipt = sealedOf(receiptText, receiptName);
  const sealedRecord = sealedOf(recordText, recordName);
  const issuerKey = await issuers.keyOf(sealedReceipt);
  const lines = custodyText.split("\n").filter((line) => line !== "");
  const { events, head } = checkCustody(lines);
  const [first] = events;
  if (first === undefined) throw spoilt("the custody log is empty");
  const { record, receipt } = await checkDocuments(
    {
      id: first.exhibit,
      case: folder.case,
      reference: folder.reference,
      state: "sealed",
      reservedAt: first.at,
    },
    sealedRecord,
    sealedReceipt,
    issuerKey,
  );
  if (receipt.record.sha256 !== sha256Of(recordText)) throw spoilt("the record was changed");
  if (head.lines !== receipt.custody.lines || head.head !== receipt.custody.head) {
    throw spoilt("the custody log is not the one that the receipt vouches for");
  }
  for (const { key, sizeBytes } of record.files) {
    const name = parseKey(key)?.name ?? "";
    if (!key.startsWith(`${folder.prefix}/`) || folder.sizes.get(name) !== sizeBytes) {
      throw spoilt(`${key} is not there, or has another size`);
    }
  }
  return { record, recordText, receipt, receiptText, custody: { lines, events, head } };
}

function sealedOf(document: string, name: string): Sealed {
  try {
    return sealedSchema.parse(JSON.parse(document));
  } catch {
    throw spoilt(`${name} is not a sealed document`);
  }
}

function spoilt(how: string): ExhibitError {
  return new ExhibitError("integrity.mismatch", `The exhibit does not hold together: ${how}.`);
}
