import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import { recordSchema, recordType, type ExhibitRecord } from "../../evidence/record.ts";
import { openSealed, publicJwkSchema, type Sealed } from "../../evidence/seal.ts";
import type { ExhibitRow, StoredFileRow } from "../database/exhibit-tables.ts";

/** A file that was proved. */
type ProvedFile = Pick<StoredFileRow, "key" | "size_bytes" | "sha256">;

/**
 * The record inside, when the caller's enrolled key signed it and it says nothing else than what is known here: the
 * exhibit that was reserved, and exactly the files that were proved.
 *
 * @throws ExhibitError `integrity.signature`, `integrity.mismatch`; ZodError for a record that is not well formed
 */
export async function checkRecord(
  sealed: Sealed,
  caller: Identity,
  callerKey: string,
  exhibit: ExhibitRow,
  stored: readonly ProvedFile[],
): Promise<ExhibitRecord> {
  const key = publicJwkSchema.parse(JSON.parse(callerKey));
  const record = recordSchema.parse(await openSealed(sealed, recordType, key));
  const claims: [string, string, string][] = [
    ["id", record.id, exhibit.id],
    ["case", record.case, exhibit.case_ref],
    ["reference", record.reference, exhibit.reference],
    ["sourceId", record.sourceId, exhibit.source_id],
    ["uploader", record.uploader.thumbprint, caller.keyThumbprint],
    ["uploader", record.uploader.key.x, key.x],
  ];
  for (const [field, claimed, known] of claims) {
    if (claimed !== known) {
      throw new ExhibitError(
        "integrity.mismatch",
        `The record's "${field}" is not that of this exhibit.`,
        { hint: "Run the same upload command again.", facts: { field } },
      );
    }
  }
  checkFiles(record, stored);
  return record;
}

function checkFiles(record: ExhibitRecord, stored: readonly ProvedFile[]): void {
  const known = new Map(stored.map((file) => [file.key, file]));
  for (const file of record.files) {
    const found = known.get(file.key);
    if (found?.size_bytes !== file.sizeBytes || found.sha256 !== file.digest.sha256) {
      throw disagrees(`the store does not hold ${file.key} as the record says`, file.key);
    }
    known.delete(file.key);
  }
  const [extra] = known.keys();
  if (extra !== undefined) throw disagrees(`the store holds ${extra} besides`, extra);
}

function disagrees(what: string, key: string): ExhibitError {
  return new ExhibitError(
    "integrity.mismatch",
    `The record and the content do not agree: ${what}.`,
    { hint: "Nothing was sealed. Run the same upload command again.", facts: { key } },
  );
}
