import { ExhibitError } from "../../evidence/errors.ts";
import type { Capabilities } from "../../evidence/ports/store.ts";
import { noRetention } from "../no-retention.ts";

const mib = 1024 * 1024;

/** Where one request ends and sessions begin. Only tests have others than {@link boxLimits}. */
export interface BoxLimits {
  /** Box: direct uploads are limited to 50 MB; sessions begin at 20 MB, which of the two kinds is not known. */
  readonly maxPutBytes: number;
  readonly minUploadBytes: number;
  readonly uploadsPerMinute: number;
}

export const boxLimits: BoxLimits = {
  maxPutBytes: 50_000_000,
  minUploadBytes: 50_000_001,
  uploadsPerMinute: 240,
};

/** What Box can do. Parts are as long as Box says when an upload begins. */
export function boxCapabilities({ maxPutBytes, minUploadBytes }: BoxLimits): Capabilities {
  return {
    // Parts can be listed up to the 10,000th and a page (Box: list parts).
    parts: { lengths: "one", minBytes: 1, maxBytes: 512 * mib, maxParts: 10_000 },
    maxPutBytes,
    minUploadBytes,
    comparesSha1: true,
    // What the plan allows is less, and Box's to say.
    maxObjectBytes: 1024 * 1024 * mib,
    proof: "transport",
    refusesOverwrite: true,
    allotsReferences: true,
    retention: noRetention,
  };
}

/** @throws ExhibitError `usage.invalid`, `policy.too-large` */
export function checkSizes(sizeBytes: number, partBytes: number, limits: BoxLimits): void {
  const { minUploadBytes, maxObjectBytes } = boxCapabilities(limits);
  // Box chooses the length of parts; what makes no sense is refused here as everywhere.
  if (!Number.isSafeInteger(partBytes) || partBytes < 1) {
    throw new ExhibitError("usage.invalid", "This part size is not possible.", {
      facts: { partBytes },
    });
  }
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < minUploadBytes) {
    throw new ExhibitError("usage.invalid", "A file of this size goes to Box in one request.", {
      facts: { sizeBytes, minUploadBytes },
    });
  }
  if (sizeBytes <= maxObjectBytes) return;
  throw new ExhibitError("policy.too-large", "This file is too large for Box.", {
    hint: "Use another store, or have the recorder export it in several files.",
    facts: { sizeBytes, limitBytes: maxObjectBytes },
  });
}
