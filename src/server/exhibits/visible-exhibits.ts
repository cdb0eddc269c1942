import type { Kysely } from "kysely";
import { smokeCase } from "../../evidence/case.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import { parseKey } from "../../evidence/key.ts";
import type { ExhibitRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";

/**
 * The exhibits that a caller may see: officers and admins all, partners their own. The one place that knows. Synthetic
 * material is none of them.
 */
export function visibleExhibits(database: Kysely<Tables>, caller: Identity) {
  return database
    .selectFrom("exhibits")
    .selectAll()
    .where("case_ref", "!=", smokeCase)
    .$if(caller.role === "partner", (query) => query.where("submitter", "=", caller.id));
}

/** Those, or the caller's own synthetic material: for whoever knows an id or a key already. */
function knownExhibits(database: Kysely<Tables>, caller: Identity) {
  return database
    .selectFrom("exhibits")
    .selectAll()
    .where((is) =>
      is.or([
        is("submitter", "=", caller.id),
        ...(caller.role === "partner" ? [] : [is("case_ref", "!=", smokeCase)]),
      ]),
    );
}

/** An exhibit that the caller may see; another's looks like none. @throws ExhibitError `not-found.exhibit` */
export async function visibleExhibit(
  database: Kysely<Tables>,
  caller: Identity,
  id: string,
): Promise<ExhibitRow> {
  const row = await knownExhibits(database, caller).where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw unknownExhibit();
  return row;
}

/** The caller's own exhibit, which alone it may add to. @throws ExhibitError `not-found.exhibit` */
export async function ownExhibit(
  database: Kysely<Tables>,
  caller: Identity,
  id: string,
): Promise<ExhibitRow> {
  const row = await visibleExhibit(database, caller, id);
  if (row.submitter !== caller.id) throw unknownExhibit();
  return row;
}

/** The exhibit, among those that the caller may see, that a key belongs to. @throws ExhibitError `not-found.content` */
export async function exhibitOfKey(
  database: Kysely<Tables>,
  caller: Identity,
  key: string,
): Promise<ExhibitRow> {
  const parts = parseKey(key);
  if (parts === undefined) {
    throw new ExhibitError("usage.invalid", "This is not a key of this product.");
  }
  const row = await knownExhibits(database, caller)
    .where("case_ref", "=", parts.case)
    .where("reference", "=", parts.reference)
    .executeTakeFirst();
  if (row === undefined) throw unknownContent();
  return row;
}

export function unknownExhibit(): ExhibitError {
  return new ExhibitError("not-found.exhibit", "There is no such exhibit.", {
    hint: "Check the case and the reference; exhibit list shows what you may see.",
  });
}

export function unknownContent(): ExhibitError {
  return new ExhibitError("not-found.content", "The store holds nothing under this key.", {
    hint: "Check the exhibit's reference, and that its upload was finished.",
  });
}
