import type { Kysely } from "kysely";
import type { Identity } from "../../evidence/identity.ts";
import type { ExhibitRow, StoredFileRow, UploadRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
import { visibleExhibits } from "../exhibits/visible-exhibits.ts";
import type { Member } from "./read-bundle.ts";

/** What the server knows of an exhibit before content comes to it. */
export interface KnownExhibit {
  readonly row: ExhibitRow;
  readonly stored: readonly StoredFileRow[];
  readonly uploads: readonly UploadRow[];
}

/** The caller's own exhibits among those that a bundle is about, by case and reference as {@link nameOf} gives it. */
export async function knownExhibits(
  database: Kysely<Tables>,
  caller: Identity,
  members: readonly Member[],
): Promise<ReadonlyMap<string, KnownExhibit>> {
  const known = new Map<
    string,
    { row: ExhibitRow; stored: StoredFileRow[]; uploads: UploadRow[] }
  >();
  for (const caseRef of new Set(members.map((member) => member.case))) {
    const references = members.flatMap((one) => (one.case === caseRef ? [one.reference] : []));
    const rows = await visibleExhibits(database, caller)
      .where("submitter", "=", caller.id)
      .where("case_ref", "=", caseRef)
      .where("reference", "in", references)
      .execute();
    for (const row of rows) known.set(row.id, { row, stored: [], uploads: [] });
  }
  const ids = [...known.keys()];
  if (ids.length > 0) {
    const stored = await database
      .selectFrom("stored_files")
      .selectAll()
      .where("exhibit_id", "in", ids)
      .execute();
    for (const file of stored) known.get(file.exhibit_id)?.stored.push(file);
    const uploads = await database
      .selectFrom("uploads")
      .selectAll()
      .where("exhibit_id", "in", ids)
      .where("state", "!=", "done")
      .execute();
    for (const upload of uploads) known.get(upload.exhibit_id)?.uploads.push(upload);
  }
  return new Map(
    [...known.values()].map((one) => [
      nameOf({ case: one.row.case_ref, reference: one.row.reference }),
      one,
    ]),
  );
}

export function nameOf(exhibit: { readonly case: string; readonly reference: string }): string {
  return `${exhibit.case}\n${exhibit.reference}`;
}
