import { createHash } from "node:crypto";
import type { WatchedFile } from "./watched-file.ts";

const sliceBytes = 4 * 1024 * 1024;

/**
 * The SHA-256 of a source file, read once from its start; `onBytes` is told of each slice.
 *
 * @throws ExhibitError `integrity.source-changed`, `unavailable.source`; the signal's reason
 */
export async function hashFile(
  file: WatchedFile,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafeSlow(Math.min(sliceBytes, file.sizeBytes));
  for (let offset = 0; offset < file.sizeBytes; offset += sliceBytes) {
    signal.throwIfAborted();
    const slice = buffer.subarray(0, Math.min(sliceBytes, file.sizeBytes - offset));
    await file.fill(slice, offset);
    hash.update(slice);
    onBytes(slice.length);
  }
  await file.confirm();
  return hash.digest("hex");
}
