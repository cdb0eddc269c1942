import { ExhibitError } from "../evidence/errors.ts";
import type { Seen } from "../evidence/ports/seen.ts";
import type { UploadQueue } from "../evidence/ports/upload-queue.ts";
import { hashFile } from "../transfer/hash-file.ts";
import type { FixedDigests } from "../transfer/fixed-digest.ts";
import { openWatched } from "../transfer/watched-file.ts";
import type { Deps } from "./deps.ts";
import type { Planning } from "./planning.ts";

/** Plans that are taken from the queue at once. */
const turnLength = 500;

/**
 * Works out, and tells, the SHA-256 of every file that is planned, before anything is sent; then the queue begins anew. Of a file that
 * cannot be read none is fixed, which fails its exhibit later.
 *
 * @throws the signal's reason; ExhibitError `unavailable.no-space`
 */
export async function hashFirst(
  { source, onEvent }: Pick<Deps, "source" | "onEvent">,
  planning: Pick<Planning, "next">,
  queue: Pick<UploadQueue, "rewind">,
  digests: Seen,
  signal: AbortSignal,
): Promise<FixedDigests> {
  for (;;) {
    const turn = await planning.next(turnLength);
    if (turn.length === 0) break;
    for (const entry of turn.flatMap(({ plan }) => plan.files)) {
      const { path, sizeBytes, location } = entry;
      try {
        const file = await openWatched(source, entry);
        try {
          const { sha256 } = await hashFile(file, () => undefined, signal);
          digests.note(location, sha256);
          onEvent({ type: "file-hashed", path, sizeBytes, sha256 });
        } finally {
          await file.close();
        }
      } catch (error) {
        if (!(error instanceof ExhibitError)) throw error;
      }
    }
  }
  queue.rewind();
  return (location) => digests.find(location);
}
