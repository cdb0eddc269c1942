import type { Source, SourceEntry } from "../../evidence/ports/source.ts";
import type { WatchedFolder } from "../../evidence/ports/watched-folder.ts";

/** Whether files that were at rest before others were taken, which may be hours ago, are what they were and nobody writes to them. */
export async function isStillAtRest(
  entries: readonly SourceEntry[],
  source: Source,
  watched: Pick<WatchedFolder, "beingWritten">,
): Promise<boolean> {
  for (const { location, version } of entries) {
    const file = await source.open(location).catch(() => undefined);
    await file?.close();
    if (file !== undefined && file.stat.version !== version) return false;
  }
  return (await watched.beingWritten(entries)).size === 0;
}
