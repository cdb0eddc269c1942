import { exhibitPrefix, parseKey } from "../../evidence/key.ts";
import { smokePrefix } from "../../evidence/smoke.ts";
import type { Store } from "../../evidence/ports/store.ts";

/** What lies in the content store under one case and reference. */
export interface ExhibitFolder {
  readonly case: string;
  readonly reference: string;
  /** Its key without a name, without a slash at its end. */
  readonly prefix: string;
  /** Sizes in bytes, by name. */
  readonly sizes: ReadonlyMap<string, number>;
}

/** The folders of all exhibits in a content store, in key order, one in memory at a time. */
export async function* exhibitFolders(
  content: Store,
  signal: AbortSignal,
): AsyncGenerator<ExhibitFolder> {
  let folder: (ExhibitFolder & { readonly sizes: Map<string, number> }) | undefined;
  for await (const { key, sizeBytes } of content.list("", signal)) {
    // Synthetic material is no evidence: it is erased, not indexed.
    if (key.startsWith(smokePrefix)) continue;
    const parts = parseKey(key);
    if (parts === undefined) continue;
    const prefix = exhibitPrefix(parts.case, parts.reference);
    if (folder?.prefix !== prefix) {
      if (folder !== undefined) yield folder;
      folder = { case: parts.case, reference: parts.reference, prefix, sizes: new Map() };
    }
    folder.sizes.set(parts.name, sizeBytes);
  }
  if (folder !== undefined) yield folder;
}
