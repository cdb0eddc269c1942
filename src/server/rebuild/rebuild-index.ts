import { ExhibitError, familyOf } from "../../evidence/errors.ts";
import { recordName } from "../../evidence/key.ts";
import type { PublicJwk } from "../../evidence/seal.ts";
import type { ServerDeps } from "../deps.ts";
import { exhibitFolders, type ExhibitFolder } from "./exhibit-folders.ts";
import { indexExhibit } from "./index-exhibit.ts";
import { Issuers } from "./issuers.ts";
import { readDocuments } from "./read-documents.ts";

type RebuildDeps = Pick<ServerDeps, "content" | "database" | "clock" | "key" | "retiredKeys">;

/** An exhibit that was found and not entered, and why. */
export interface NotIndexed {
  readonly case: string;
  readonly reference: string;
  readonly error: ExhibitError;
}

/** What came of it. The four counts of exhibits add up to `looked`. */
export interface RebuiltIndex {
  readonly looked: number;
  readonly added: number;
  /** Were unfinished when the database was copied, and are sealed. */
  readonly finished: number;
  readonly present: number;
  /** Have no record: they were never sealed. Their references stay taken. */
  readonly unsealed: number;
  readonly notIndexed: number;
  /** Keys of former servers that were named, and have signed receipts here. */
  readonly formerKeys: readonly PublicJwk[];
}

export interface RebuildWatcher {
  readonly onNotIndexed: (one: NotIndexed) => void;
  /** Called now and then. */
  readonly onProgress: (looked: number) => void;
}

/**
 * Enters the sealed exhibits of a content store into the database, one after the other and never more than one in memory: for a database
 * that was lost, or one from an older backup. What does not verify is told and left out; what is there already stays. Identities,
 * shares and access logs cannot come back by this.
 *
 * @param formerKeys thumbprints of keys that count though this server does not have them
 */
export async function rebuildIndex(
  deps: RebuildDeps,
  formerKeys: readonly string[],
  watcher: RebuildWatcher,
  signal: AbortSignal,
): Promise<RebuiltIndex> {
  const issuers = new Issuers(deps, formerKeys);
  const counts = { looked: 0, added: 0, finished: 0, present: 0, unsealed: 0, notIndexed: 0 };
  for await (const folder of exhibitFolders(deps.content, signal)) {
    counts.looked += 1;
    if (folder.sizes.has(recordName)) await enter(folder);
    else counts.unsealed += 1;
    watcher.onProgress(counts.looked);
  }
  return { ...counts, formerKeys: issuers.found };

  async function enter(folder: ExhibitFolder): Promise<void> {
    try {
      const found = await readDocuments(deps.content, folder, issuers, signal);
      counts[await indexExhibit(deps, folder, found)] += 1;
    } catch (error) {
      if (
        !(error instanceof ExhibitError) ||
        !/^(?:integrity|conflict)$/.test(familyOf(error.code))
      ) {
        throw error;
      }
      counts.notIndexed += 1;
      watcher.onNotIndexed({ case: folder.case, reference: folder.reference, error });
    }
  }
}
