import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

/** Writes bytes into a new file for this user alone (0600), flushes it, and gives what was written; nothing is ever overwritten. */
export async function writePrivateCopy(
  file: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const handle = await open(file, "wx", 0o600);
  try {
    for await (const piece of bytes) {
      signal.throwIfAborted();
      hash.update(piece);
      sizeBytes += piece.length;
      await handle.writeFile(piece);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}
