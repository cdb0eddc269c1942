import { sha256Of } from "../evidence/digest.ts";
import type { SourceEntry } from "../evidence/ports/source.ts";

/**
 * What an exhibit is called when nobody says: a digest over its files' relative paths, sizes and times, so that the
 * same command finds the same exhibit again. Hashed, because recorders put callers' numbers into names.
 */
export function autoSourceId(files: readonly SourceEntry[]): string {
  const facts = files.map(({ path, pathBytes, sizeBytes, modifiedAtMs }) => [
    pathBytes ?? path,
    sizeBytes,
    modifiedAtMs,
  ]);
  return `auto:${sha256Of(JSON.stringify(facts))}`;
}
