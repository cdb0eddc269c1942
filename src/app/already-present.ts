import { formatAddress } from "../evidence/address.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { ExhibitRecord } from "../evidence/record.ts";
import type { Deps } from "./deps.ts";
import type { ExhibitPlan } from "./exhibit-plan.ts";
import { hashSource } from "./hash-source.ts";

/**
 * Hashes the source again and compares it with a sealed record: the same files, whatever they are called.
 *
 * @throws ExhibitError `conflict.exists` when they differ; `integrity.source-changed`, `unavailable.source`
 */
export async function requireSameContent(
  deps: Pick<Deps, "source" | "onEvent">,
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
    found.push(`${entry.sizeBytes} ${await hashSource(entry, deps, signal)}`);
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
