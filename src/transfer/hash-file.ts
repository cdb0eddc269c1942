import type { WholeDigests } from "../evidence/digest.ts";
import { ContentHash, type WantedDigests } from "./content-hash.ts";
import type { WatchedFile } from "./watched-file.ts";

const sliceBytes = 4 * 1024 * 1024;

/**
 * The digests of a source file, read once from its start; `onBytes` is told of each slice.
 *
 * @throws ExhibitError `integrity.source-changed`, `unavailable.source`; the signal's reason
 */
export async function hashFile(
  file: WatchedFile,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
  wanted: WantedDigests = { comparesSha1: false },
): Promise<WholeDigests> {
  const hash = new ContentHash(wanted);
  const buffer = Buffer.allocUnsafeSlow(Math.min(sliceBytes, file.sizeBytes));
  for (let offset = 0; offset < file.sizeBytes; offset += sliceBytes) {
    signal.throwIfAborted();
    const slice = buffer.subarray(0, Math.min(sliceBytes, file.sizeBytes - offset));
    await file.fill(slice, offset);
    hash.update(slice);
    onBytes(slice.length);
  }
  await file.confirm();
  return hash.digests();
}
