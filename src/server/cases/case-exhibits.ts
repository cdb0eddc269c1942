import type { Kysely } from "kysely";
import type { z } from "zod";
import type { CaseExhibit } from "../../evidence/case-view.ts";
import type { Identity } from "../../evidence/identity.ts";
import { recordSchema } from "../../evidence/record.ts";
import { sealedSchema, unverifiedPayload } from "../../evidence/seal.ts";
import type { caseExhibitPageSchema } from "../../protocol/cases.ts";
import type { ExhibitRow, UploadRow } from "../database/exhibit-tables.ts";
import type { Tables } from "../database/tables.ts";
import { visibleExhibits } from "../exhibits/visible-exhibits.ts";

export interface CaseQuery {
  readonly case: string;
  readonly after: string | undefined;
  readonly limit: number;
}

type Listed = Pick<
  ExhibitRow,
  "id" | "reference" | "state" | "submitter" | "reserved_at" | "sealed_at" | "total_bytes"
>;

/** A page of a case's exhibits that the caller may see, by reference. */
export async function pageOfCase(
  database: Kysely<Tables>,
  caller: Identity,
  { case: caseRef, after, limit }: CaseQuery,
): Promise<z.input<typeof caseExhibitPageSchema>> {
  const rows: Listed[] = await visibleExhibits(database, caller)
    .clearSelect()
    .select(["id", "reference", "state", "submitter", "reserved_at", "sealed_at", "total_bytes"])
    .where("case_ref", "=", caseRef)
    .$if(after !== undefined, (query) => query.where("reference", ">", after ?? ""))
    .orderBy("reference")
    .limit(limit + 1)
    .execute();
  const page = rows.slice(0, limit);
  const organisations = await organisationsOf(database, page);
  const uploads = await uploadsInto(database, page);
  const exhibits: CaseExhibit[] = [];
  for (const row of page) {
    exhibits.push({
      id: row.id,
      reference: row.reference,
      state: row.state === "sealed" ? "sealed" : "open",
      from: { id: row.submitter, organisation: organisations.get(row.submitter) },
      reservedAt: row.reserved_at,
      ...(row.state === "sealed"
        ? { sealedAt: row.sealed_at ?? row.reserved_at, ...(await recordedOf(database, row.id)) }
        : openOf(row, uploads)),
    });
  }
  const last = page.at(-1);
  return {
    exhibits,
    ...(rows.length > page.length && last !== undefined ? { next: last.reference } : {}),
  };
}

async function organisationsOf(
  database: Kysely<Tables>,
  page: readonly Listed[],
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(page.map(({ submitter }) => submitter))];
  if (ids.length === 0) return new Map();
  const rows = await database
    .selectFrom("identities")
    .select(["id", "organisation"])
    .where("id", "in", ids)
    .execute();
  return new Map(rows.map(({ id, organisation }) => [id, organisation]));
}

async function uploadsInto(
  database: Kysely<Tables>,
  page: readonly Listed[],
): Promise<readonly UploadRow[]> {
  const open = page.filter(({ state }) => state !== "sealed").map(({ id }) => id);
  if (open.length === 0) return [];
  return database
    .selectFrom("uploads")
    .selectAll()
    .where("exhibit_id", "in", open)
    .where("state", "!=", "done")
    .orderBy("started_at")
    .execute();
}

function openOf(
  { id, total_bytes: sizeBytes }: Listed,
  uploads: readonly UploadRow[],
): Pick<CaseExhibit, "files" | "sizeBytes" | "uploads"> {
  const own = uploads.filter((upload) => upload.exhibit_id === id);
  return {
    files: 0,
    sizeBytes,
    uploads: own.map((upload) => ({
      id: upload.id,
      sizeBytes: upload.size_bytes,
      startedAt: upload.started_at,
      expiresAt: upload.expires_at,
    })),
  };
}

/** What an exhibit's record says of it as a whole. Read one at a time: a record of 10,000 files is some megabytes. */
export async function recordedOf(
  database: Kysely<Tables>,
  id: string,
): Promise<Pick<CaseExhibit, "title" | "files" | "sizeBytes" | "retention">> {
  const { record: text } = await database
    .selectFrom("exhibits")
    .select("record")
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
  const sealed = sealedSchema.parse(JSON.parse(text ?? ""));
  const record = recordSchema.parse(unverifiedPayload(sealed));
  const { title, retention } = record;
  return {
    files: record.files.length,
    sizeBytes: record.files.reduce((sum, file) => sum + file.sizeBytes, 0),
    ...(title === undefined ? {} : { title }),
    ...(retention === undefined ? {} : { retention }),
  };
}
