import { formatAddress } from "../evidence/address.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { ExhibitRecord } from "../evidence/record.ts";
import { hashFile } from "../transfer/hash-file.ts";
import { openWatched } from "../transfer/watched-file.ts";
import type { Deps } from "./deps.ts";
import type { ExhibitPlan } from "./exhibit-plan.ts";

/**
 * Hashes the source again and compares it with a sealed record: the same files, whatever they are called.
 *
 * @throws ExhibitError `conflict.exists` when they differ; `integrity.source-changed`, `unavailable.source`
 */
export async function requireSameContent(
  { source, onEvent }: Pick<Deps, "source" | "onEvent">,
  plan: ExhibitPlan,
  record: ExhibitRecord,
  signal: AbortSignal,
): Promise<void> {
  const recorded = record.files.map(({ sizeBytes, digest }) => `${sizeBytes} ${digest.sha256}`);
  const found: string[] = [];
  const sizes = (files: readonly { sizeBytes: number }[]): string =>
    files
      .map(({ sizeBytes }) => sizeBytes)
      .sort((a, b) => a - b)
      .join();
  if (sizes(plan.files) !== sizes(record.files)) throw differs(record);
  for (const entry of plan.files) {
    const { path, sizeBytes } = entry;
    const file = await openWatched(source, entry);
    try {
      onEvent({ type: "file-started", path, sizeBytes });
      const tell = (bytes: number): void => {
        onEvent({ type: "part-done", path, bytes, sent: false });
      };
      const { sha256 } = await hashFile(file, tell, signal);
      found.push(`${sizeBytes} ${sha256}`);
    } finally {
      await file.close();
    }
  }
  if (found.sort().join() !== recorded.sort().join()) throw differs(record);
}

function differs(record: ExhibitRecord): ExhibitError {
  return new ExhibitError(
    "conflict.exists",
    `${formatAddress(record)} is sealed already, and its content is not this.`,
    {
      hint: "A sealed exhibit never changes. Upload this under another reference; --supersedes says what it corrects.",
    },
  );
}
