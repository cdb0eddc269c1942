import { ExhibitError } from "../../evidence/errors.ts";
import type { GroupedContent } from "../../evidence/ports/grouped-content.ts";
import type { ExhibitRow, StoredFileRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import { documentsIn } from "../exhibits/documents.ts";
import { noteArrivals } from "../inbox/arrivals.ts";
import { inSlices } from "./in-slices.ts";

/**
 * Writes the documents of exhibits that are settled, as `finishSealing` does for one: repeating it after a crash writes the very
 * same ones. An answer for each, in order; what is not being sealed is given back as it is.
 */
export async function finishAll(
  { database, clock }: Pick<ServerDeps, "database" | "clock">,
  content: GroupedContent,
  exhibits: readonly ExhibitRow[],
  signal: AbortSignal,
): Promise<readonly (ExhibitRow | ExhibitError)[]> {
  const sealing = exhibits.filter(({ state }) => state === "sealing");
  if (sealing.length === 0) return exhibits;
  const lines = await linesAtSealing(database, sealing);
  const documents = sealing.flatMap((row) =>
    documentsIn(row, lines.get(row.id) ?? []).map((file) => ({ id: row.id, file })),
  );
  const stored = await content.putAll(
    documents.map(({ file }) => file),
    signal,
  );
  const refused = new Map<string, ExhibitError>();
  const rows: StoredFileRow[] = [];
  for (const [index, { id }] of documents.entries()) {
    const found = stored[index];
    if (found === undefined || found instanceof ExhibitError) {
      refused.set(id, found ?? unanswered());
      continue;
    }
    rows.push({
      key: found.key,
      exhibit_id: id,
      size_bytes: found.sizeBytes,
      sha256: found.sha256,
      proof: "whole",
      stored_at: clock.now().toISOString(),
      kept: null,
    });
  }
  const finished = sealing.flatMap(({ id }) => (refused.has(id) ? [] : [id]));
  await database.transaction().execute(async (trx) => {
    const kept = rows.filter((row) => !refused.has(row.exhibit_id));
    await inSlices(kept, (slice) =>
      trx
        .insertInto("stored_files")
        .values(slice)
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    );
    await inSlices(finished, (slice) =>
      trx.updateTable("exhibits").set({ state: "sealed" }).where("id", "in", slice).execute(),
    );
    await inSlices(finished, (slice) => noteArrivals(trx, slice));
  });
  return exhibits.map((row) =>
    row.state === "sealing" ? (refused.get(row.id) ?? { ...row, state: "sealed" }) : row,
  );
}

/** Each exhibit's custody log up to the line that its receipt vouches for. */
async function linesAtSealing(
  database: ServerDeps["database"],
  exhibits: readonly ExhibitRow[],
): Promise<ReadonlyMap<string, string[]>> {
  const lines = new Map<string, string[]>();
  const ended = new Set<string>();
  await inSlices(exhibits, async (slice) => {
    const ids = slice.map(({ id }) => id);
    const rows = await database
      .selectFrom("custody_events")
      .select(["exhibit_id", "verb", "line"])
      .where("exhibit_id", "in", ids)
      .orderBy("exhibit_id")
      .orderBy("seq")
      .execute();
    for (const { exhibit_id: id, verb, line } of rows) {
      if (ended.has(id)) continue;
      lines.set(id, [...(lines.get(id) ?? []), line]);
      if (verb === "sealed") ended.add(id);
    }
  });
  return lines;
}

function unanswered(): ExhibitError {
  return new ExhibitError("unavailable.store", "The content store did not say what it stored.");
}
