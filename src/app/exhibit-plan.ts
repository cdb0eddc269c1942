import type { SourceEntry } from "../evidence/ports/source.ts";
import type { ExhibitPlan } from "../evidence/ports/upload-queue.ts";
import { autoSourceId } from "./source-id.ts";

export type { ExhibitPlan };

/** The plan of an exhibit of these files, called `path` in messages; without a source id it is called after its files. */
export function planOf(
  path: string,
  files: readonly SourceEntry[],
  sourceId: string | undefined,
  ofRow: Pick<ExhibitPlan, "said" | "row"> = {},
): ExhibitPlan {
  return {
    path,
    files,
    sourceId: sourceId ?? autoSourceId(files),
    totalBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    ...ofRow,
  };
}
