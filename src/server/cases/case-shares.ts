import { sql, type Kysely } from "kysely";
import type { z } from "zod";
import type { CaseShare } from "../../evidence/case-view.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { caseSharePageSchema } from "../../protocol/cases.ts";
import type { Tables } from "../database/tables.ts";
import { endOf, type StoredShare } from "../shares/share-rows.ts";
import type { CaseQuery } from "./case-exhibits.ts";

/**
 * A page of the shares that the caller may see (an officer's own, any for an admin) of exhibits in a case, oldest first, with
 * whether their recipients have looked.
 */
export async function sharesOfCase(
  database: Kysely<Tables>,
  caller: Identity,
  { case: caseRef, after, limit }: CaseQuery,
  now: Date,
): Promise<z.input<typeof caseSharePageSchema>> {
  const start = after === undefined ? undefined : readCursor(after);
  const rows = await database
    .selectFrom("shares")
    .selectAll()
    .where("id", "in", (of) =>
      of
        .selectFrom("share_exhibits")
        .innerJoin("exhibits", "exhibits.id", "share_exhibits.exhibit_id")
        .select("share_exhibits.share_id")
        .where("exhibits.case_ref", "=", caseRef),
    )
    .$if(caller.role !== "admin", (query) => query.where("created_by", "=", caller.id))
    .$if(start !== undefined, (query) =>
      query.where(sql<boolean>`(created_at, id) > (${start?.[0] ?? ""}, ${start?.[1] ?? ""})`),
    )
    .orderBy("created_at")
    .orderBy("id")
    .limit(limit + 1)
    .execute();
  const page = rows.slice(0, limit);
  const references = await referencesIn(database, caseRef, page);
  const looks = await looksAt(database, page);
  const last = page.at(-1);
  return {
    shares: page.map((row) => ({
      id: row.id,
      recipient: { name: row.recipient_name, email: row.recipient_email },
      access: row.access,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      state: endOf(row, now) ?? "open",
      exhibits: references.get(row.id) ?? [],
      ...looks.get(row.id),
    })),
    ...(rows.length > page.length && last !== undefined ? { next: cursorOf(last) } : {}),
  };
}

async function referencesIn(
  database: Kysely<Tables>,
  caseRef: string,
  page: readonly StoredShare[],
): Promise<ReadonlyMap<string, string[]>> {
  const found = new Map<string, string[]>();
  if (page.length === 0) return found;
  const rows = await database
    .selectFrom("share_exhibits")
    .innerJoin("exhibits", "exhibits.id", "share_exhibits.exhibit_id")
    .select(["share_exhibits.share_id", "exhibits.reference"])
    .where("share_exhibits.share_id", "in", idsOf(page))
    .where("share_exhibits.revoked_at", "is", null)
    .where("exhibits.case_ref", "=", caseRef)
    .orderBy("position")
    .execute();
  for (const { share_id: id, reference } of rows) {
    const references = found.get(id);
    if (references === undefined) found.set(id, [reference]);
    else references.push(reference);
  }
  return found;
}

/** Whoever has given the code has looked: the page behind it shows what is shared. */
async function looksAt(
  database: Kysely<Tables>,
  page: readonly StoredShare[],
): Promise<ReadonlyMap<string, Pick<CaseShare, "looked">>> {
  if (page.length === 0) return new Map();
  const rows = await database
    .selectFrom("share_accesses")
    .select((of) => [
      "share_id",
      of.fn.min("first_at").as("first"),
      of.fn.max("last_at").as("last"),
      of.fn
        .sum<number>(of.case().when("kind", "=", "session-started").then(1).else(0).end())
        .as("times"),
    ])
    .where("share_id", "in", idsOf(page))
    .where("session_id", "is not", null)
    .where("kind", "in", [
      ...(["session-started", "exhibit-viewed", "segment"] as const),
      ...(["file-viewed", "original-downloaded"] as const),
    ])
    .groupBy("share_id")
    .execute();
  return new Map(
    rows.map(({ share_id: id, first, last, times }) => [
      id,
      { looked: { first, last, times: Math.max(times, 1) } },
    ]),
  );
}

function idsOf(page: readonly StoredShare[]): readonly string[] {
  return page.map(({ id }) => id);
}

function cursorOf(row: StoredShare): string {
  return Buffer.from(`${row.created_at}\n${row.id}`).toString("base64url");
}

function readCursor(cursor: string): [string, string] {
  const [createdAt, id] = Buffer.from(cursor, "base64url").toString("utf8").split("\n");
  if (createdAt !== undefined && id !== undefined) return [createdAt, id];
  throw new ExhibitError("usage.invalid", "This page does not exist.", {
    hint: "Hand back `next` of the page before, unchanged.",
  });
}
