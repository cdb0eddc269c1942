import type { QueuedPlan } from "../evidence/ports/upload-queue.ts";
import { persistently } from "../transfer/persistence.ts";
import { reservedBefore } from "./reserved-before.ts";
import type { ExhibitUpload } from "./upload-exhibit.ts";
import type { UploadedExhibit } from "./upload-outcome.ts";

/**
 * Those of a turn, by their places, that an earlier run of the same command had brought in, and that the store says it still has
 * sealed. Their files are what they were then, to their times and inodes, and are not read again.
 *
 * @throws ExhibitError `unavailable.*`, `auth.*`; the signal's reason
 */
export async function stillThere(
  { deps, connection, request }: Omit<ExhibitUpload, "plan">,
  turn: readonly QueuedPlan[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, UploadedExhibit>> {
  const there = new Map<number, UploadedExhibit>();
  const known = turn.filter(({ before }) => before !== undefined);
  if (known.length === 0) return there;
  const entries = await persistently(
    () => reservedBefore(connection.register, request, known, signal),
    deps,
    signal,
  );
  for (const { place, plan, before } of known) {
    const exhibit = before as UploadedExhibit;
    const entry = entries.get(place);
    if (entry?.state !== "sealed" || entry.id !== exhibit.id) continue;
    const bytes = { bytesSent: 0, bytesSkipped: plan.totalBytes };
    there.set(place, { ...exhibit, outcome: "already-present", ...bytes });
    for (const { path, sizeBytes } of plan.files) {
      deps.onEvent({ type: "file-started", path, sizeBytes });
      deps.onEvent({ type: "file-done", path, proof: exhibit.receipt.files[0]?.proof ?? "size" });
    }
  }
  return there;
}
