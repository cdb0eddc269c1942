import type { Source, SourceEntry } from "../evidence/ports/source.ts";
import type { OnTransferEvent } from "../evidence/progress.ts";
import { hashFile } from "../transfer/hash-file.ts";
import { openWatched } from "../transfer/watched-file.ts";

/** The SHA-256 of a file of the source, read once and told as it goes. @throws ExhibitError `integrity.source-changed`, `unavailable.source` */
export async function hashSource(
  entry: SourceEntry,
  { source, onEvent }: { readonly source: Source; readonly onEvent: OnTransferEvent },
  signal: AbortSignal,
): Promise<string> {
  const { path, sizeBytes } = entry;
  const file = await openWatched(source, entry);
  try {
    onEvent({ type: "file-started", path, sizeBytes });
    const tell = (bytes: number): void => {
      onEvent({ type: "part-done", path, bytes, sent: false });
    };
    return (await hashFile(file, tell, signal)).sha256;
  } finally {
    await file.close();
  }
}
