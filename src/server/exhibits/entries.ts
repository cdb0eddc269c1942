import { sql, type Kysely } from "kysely";
import type { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { ExhibitEntry } from "../../evidence/ports/register.ts";
import { sealedSchema } from "../../evidence/seal.ts";
import type {
  exhibitDocumentsSchema,
  exhibitPageSchema,
  lookedUpSchema,
  lookupSchema,
} from "../../protocol/exhibits.ts";
import type { ExhibitRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
import { visibleExhibits } from "./visible-exhibits.ts";

/** An exhibit as clients see it: `open` until its record and receipt lie in the content store. */
export function entryOf(row: ExhibitRow): ExhibitEntry {
  return {
    id: row.id,
    case: row.case_ref,
    reference: row.reference,
    state: row.state === "sealed" ? "sealed" : "open",
    reservedAt: row.reserved_at,
  };
}

export function documentsOf(row: ExhibitRow): z.input<typeof exhibitDocumentsSchema> {
  if (row.state !== "sealed" || row.record === null || row.receipt === null) {
    return { entry: entryOf(row) };
  }
  return {
    entry: entryOf(row),
    record: sealedSchema.parse(JSON.parse(row.record)),
    receipt: sealedSchema.parse(JSON.parse(row.receipt)),
  };
}

export interface EntryQuery {
  readonly case: string | undefined;
  readonly reference: string | undefined;
  readonly after: string | undefined;
  readonly limit: number;
}

/** A page of the exhibits that the caller may see, by case and reference. */
export async function pageOfEntries(
  database: Kysely<Tables>,
  caller: Identity,
  query: EntryQuery,
): Promise<z.input<typeof exhibitPageSchema>> {
  const after = query.after === undefined ? undefined : readCursor(query.after);
  const rows = await visibleExhibits(database, caller)
    .$if(query.case !== undefined, (q) => q.where("case_ref", "=", query.case ?? ""))
    .$if(query.reference !== undefined, (q) => q.where("reference", "=", query.reference ?? ""))
    .$if(after !== undefined, (q) =>
      q.where(sql<boolean>`(case_ref, reference) > (${after?.[0] ?? ""}, ${after?.[1] ?? ""})`),
    )
    .orderBy("case_ref")
    .orderBy("reference")
    .limit(query.limit + 1)
    .execute();
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return {
    exhibits: page.map(entryOf),
    ...(rows.length > page.length && last !== undefined
      ? { next: cursorOf(last.case_ref, last.reference) }
      : {}),
  };
}

/** The caller's own exhibits of some sources in a case. */
export async function ownBySource(
  database: Kysely<Tables>,
  caller: Identity,
  wanted: z.output<typeof lookupSchema>,
): Promise<z.input<typeof lookedUpSchema>["found"]> {
  const rows = await database
    .selectFrom("exhibits")
    .selectAll()
    .where("submitter", "=", caller.id)
    .where("case_ref", "=", wanted.case)
    .where("source_id", "in", wanted.sourceIds)
    .execute();
  return rows.map((row) => ({ sourceId: row.source_id, entry: entryOf(row) }));
}

function cursorOf(caseRef: string, reference: string): string {
  return Buffer.from(`${caseRef}\n${reference}`).toString("base64url");
}

function readCursor(cursor: string): [string, string] {
  const [caseRef, reference] = Buffer.from(cursor, "base64url").toString("utf8").split("\n");
  if (caseRef !== undefined && reference !== undefined) return [caseRef, reference];
  throw new ExhibitError("usage.invalid", "This page does not exist.", {
    hint: "Hand back `next` of the page before, unchanged.",
  });
}
