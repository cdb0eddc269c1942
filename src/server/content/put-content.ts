import { ExhibitError } from "../../evidence/errors.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { StoredFileRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import type { DeclaredBody } from "./receive-body.ts";
import { assertOneSize, reserveFor, unreserve } from "./reservation.ts";
import { findStored, noteStored, receivingExhibit } from "./stored-files.ts";

/**
 * Stores a whole file that came in one request. `receive` hands over the body, and is asked only when it is wanted.
 *
 * @throws ExhibitError `not-found.exhibit`, `conflict.sealed`, `conflict.exists`, `conflict.unfinished`, `policy.quota`,
 * `integrity.mismatch`, `unavailable.no-space`
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
  const chargedBytes = await database.transaction().execute(async (trx) => {
    await assertOneSize(trx, exhibit.id, key, body.length);
    return reserveFor(trx, exhibit.id, key, body.length);
  });
  try {
    const row = await receive(async (bytes) => {
      // It may have been sealed while the body was on its way.
      await receivingExhibit(database, caller, key);
      // Not to be stopped any more: the client may never learn that it was stored.
      const stored = await content.put(key, bytes, body.sha256, new AbortController().signal);
      const from = { exhibitId: exhibit.id, owner: caller.id };
      return database.transaction().execute((trx) => noteStored(trx, deps, stored, from));
    });
    return { row, made: true };
  } catch (error) {
    await database.transaction().execute((trx) => unreserve(trx, exhibit.id, chargedBytes));
    throw error;
  }
}
