import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { StoredFileRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import type { DeclaredBody } from "./receive-body.ts";
import { findStored, noteStored, receivingExhibit, reserveFor } from "./stored-files.ts";

/**
 * Stores a whole file that came in one request. `receive` hands over the body, and is asked only when it is wanted.
 *
 * @throws ExhibitError `not-found.exhibit`, `conflict.sealed`, `conflict.exists`, `policy.quota`, `integrity.mismatch`,
 * `unavailable.no-space`
 */
export async function putContent(
  deps: Pick<ServerDeps, "database" | "content" | "clock">,
  caller: Identity,
  key: string,
  body: DeclaredBody,
  receive: (store: (bytes: Buffer) => Promise<StoredFileRow>) => Promise<StoredFileRow>,
): Promise<{ row: StoredFileRow; made: boolean }> {
  const { database, content } = deps;
  const exhibit = await receivingExhibit(database, caller, key);
  const before = await findStored(database, key);
  if (before !== undefined) {
    const same = before.sha256 === body.sha256 && before.size_bytes === body.length;
    if (same) return { row: before, made: false };
    throw new ExhibitError("conflict.exists", `The store already holds ${key}.`, {
      hint: "Nothing was overwritten. If the content should be another, use another reference.",
    });
  }
  await database.transaction().execute((trx) => reserveFor(trx, exhibit.id, key, body.length));
  const row = await receive(async (bytes) => {
    // Not to be stopped any more: the client may never learn that it was stored.
    const stored = await content.put(key, bytes, body.sha256, new AbortController().signal);
    const from = { exhibitId: exhibit.id, owner: caller.id };
    return database.transaction().execute((trx) => noteStored(trx, deps, stored, from));
  });
  return { row, made: true };
}
