import type { Kysely } from "kysely";
import { ExhibitError } from "../../evidence/errors.ts";
import { recordSchema, type ExhibitRecord } from "../../evidence/record.ts";
import { sealedSchema, unverifiedPayload } from "../../evidence/seal.ts";
import type { Tables } from "../database/tables.ts";

/** A sealed exhibit as a share needs it. */
export interface SharedExhibit {
  readonly id: string;
  readonly case: string;
  readonly reference: string;
  readonly record: ExhibitRecord;
  /** The sealed documents, byte for byte as they lie in the content store. */
  readonly sealedRecord: string;
  readonly sealedReceipt: string;
}

/**
 * The exhibit with this id. Its record's signature was checked when it was sealed, and it never changes.
 *
 * @throws ExhibitError `not-found.exhibit` when there is none, or it is not sealed yet
 */
export async function readSealed(database: Kysely<Tables>, id: string): Promise<SharedExhibit> {
  const row = await database
    .selectFrom("exhibits")
    .select(["id", "case_ref", "reference", "state", "record", "receipt"])
    .where("id", "=", id)
    .executeTakeFirst();
  if (row?.state === "sealed" && row.record !== null && row.receipt !== null) {
    const sealed = sealedSchema.parse(JSON.parse(row.record));
    return {
      id: row.id,
      case: row.case_ref,
      reference: row.reference,
      record: recordSchema.parse(unverifiedPayload(sealed)),
      sealedRecord: row.record,
      sealedReceipt: row.receipt,
    };
  }
  throw new ExhibitError(
    "not-found.exhibit",
    row === undefined
      ? `This server has no exhibit ${id}.`
      : `${row.case_ref}:${row.reference} is still being uploaded; it can be shared when it is sealed.`,
    { hint: "List what there is with exhibit list.", facts: { exhibit: id } },
  );
}
