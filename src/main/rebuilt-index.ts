import type { Kysely } from "kysely";
import type { RebuildRequest, RebuiltIndex } from "../cli/context.ts";
import type { Store } from "../evidence/ports/store.ts";
import type { DataFolder } from "../platform/data-folder.ts";
import { addRetiredKeys, type ServerKeys } from "../platform/server-key.ts";
import type { Tables } from "../server/database/tables.ts";
import { rebuildIndex } from "../server/rebuild/rebuild-index.ts";

/** Finds exhibits again in the content of a data folder, where that is asked for; keys that turn out to be former ones are kept as such. */
export async function rebuiltFrom(
  folder: DataFolder,
  content: Store,
  database: Kysely<Tables>,
  request: RebuildRequest | undefined,
  signal: AbortSignal,
): Promise<
  { readonly counts: RebuiltIndex; readonly retiredKeys: ServerKeys["retiredKeys"] } | undefined
> {
  if (request === undefined) return undefined;
  const { key, retiredKeys } = folder;
  const clock = { now: () => new Date() };
  const deps = { content, database, clock, key, retiredKeys };
  const { formerKeys, ...counts } = await rebuildIndex(deps, request.formerKeys, request, signal);
  const retiredAt = clock.now().toISOString();
  return { counts, retiredKeys: await addRetiredKeys(folder.keyFile, formerKeys, retiredAt) };
}
