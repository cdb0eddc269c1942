import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import { recordSchema, recordType, type ExhibitRecord } from "../../evidence/record.ts";
import { openSealed, thumbprintOf, type PublicJwk, type Sealed } from "../../evidence/seal.ts";
import type { ExhibitRow, StoredFileRow } from "../database/exhibit-tables.ts";

/** A file that was proved. */
type ProvedFile = Pick<StoredFileRow, "key" | "size_bytes" | "sha256">;

/**
 * The record inside, when one of the caller's keys signed it and it says nothing else than what is known here: the
 * exhibit that was reserved, and exactly the files that were proved.
 *
 * @throws ExhibitError `integrity.signature`, `integrity.mismatch`; ZodError for a record that is not well formed
 */
export async function checkRecord(
  sealed: Sealed,
  callerKeys: readonly PublicJwk[],
  exhibit: ExhibitRow,
  stored: readonly ProvedFile[],
): Promise<ExhibitRecord> {
  const { key, document } = await openWithAny(sealed, callerKeys);
  const record = recordSchema.parse(document);
  const claims: [string, string, string][] = [
    ["id", record.id, exhibit.id],
    ["case", record.case, exhibit.case_ref],
    ["reference", record.reference, exhibit.reference],
    ["sourceId", record.sourceId, exhibit.source_id],
    ["uploader", record.uploader.thumbprint, await thumbprintOf(key)],
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

/** What one of these keys has signed, and which. */
async function openWithAny(
  sealed: Sealed,
  keys: readonly PublicJwk[],
): Promise<{ key: PublicJwk; document: unknown }> {
  for (const key of keys) {
    try {
      return { key, document: await openSealed(sealed, recordType, key) };
    } catch (error) {
      if (!hasCode(error, "integrity.signature")) throw error;
    }
  }
  throw new ExhibitError(
    "integrity.signature",
    "The record was not signed by a key of yours, or was changed after signing.",
    {
      hint: "Sign in again (exhibit login), so that this machine's key is registered; then run the same upload command again.",
    },
  );
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
