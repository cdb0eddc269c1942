import { ExhibitError } from "../../evidence/errors.ts";
import type { StoreCheck } from "../../evidence/kept.ts";
import type { Capabilities, HashedPart, Upload } from "../../evidence/ports/store.ts";
import { proofOf, type Enforced } from "./enforced.ts";

const mib = 1024 * 1024;
const gib = 1024 * mib;

/** The limits that Amazon sets, and engines like it. */
const limits = {
  parts: { lengths: "one", minBytes: 5 * mib, maxBytes: 5 * gib, maxParts: 10_000 },
  maxPutBytes: 5 * gib,
  minUploadBytes: 0,
  comparesSha1: false,
  maxObjectBytes: 5 * 1024 * gib,
} as const;

/** What a bucket can do, as far as it was tried out. */
export function s3Capabilities(enforced: Enforced): Capabilities {
  const refuses = refusesOverwrite(enforced);
  return {
    ...limits,
    check: storeCheckOf(enforced),
    proof: proofOf(enforced),
    refusesOverwrite: refuses && enforced.noOverwriteComplete,
    allotsReferences: refuses,
    retention: {
      period: enforced.retentionBy !== "none",
      legalHold: enforced.objectLock === "enabled" && enforced.legalHold,
    },
  };
}

/** For receipts: what the check found, in the words that the check itself uses. */
function storeCheckOf(enforced: Enforced): StoreCheck {
  const found: readonly (readonly [string, boolean])[] = [
    ["payload-hash", enforced.payloadHash],
    ["content-md5", enforced.contentMd5],
    ...enforced.checksums.map((algorithm) => [`checksum-${algorithm}`, true] as const),
    ["no-overwrite-put", refusesOverwrite(enforced)],
    ["no-overwrite-complete", enforced.noOverwriteComplete],
    ["versioning", enforced.versioning === "enabled"],
    ["object-lock", enforced.objectLock === "enabled"],
  ];
  return {
    checkedAt: enforced.checkedAt,
    enforces: found.flatMap(([name, is]) => (is ? [name] : [])),
  };
}

/** Whether a PUT may ask the engine itself not to overwrite. */
export function refusesOverwrite({
  noOverwritePut,
  noOverwriteWhenVersioned,
  versioning,
}: Enforced): boolean {
  const hasVersions = versioning === "enabled" || versioning === "suspended";
  return hasVersions ? noOverwriteWhenVersioned : noOverwritePut;
}

/** @throws ExhibitError `usage.invalid`, `policy.too-large` */
export function checkSizes(sizeBytes: number, partBytes: number): void {
  const { parts, maxObjectBytes } = limits;
  const whole = Number.isSafeInteger(sizeBytes) && Number.isSafeInteger(partBytes);
  const least = sizeBytes > partBytes ? parts.minBytes : 1;
  if (!whole || sizeBytes < 0 || partBytes < least || partBytes > parts.maxBytes) {
    throw new ExhibitError("usage.invalid", "This size or part size is not possible.", {
      hint: `A part has ${parts.minBytes} to ${parts.maxBytes} bytes, but the last may be shorter.`,
      facts: { sizeBytes, partBytes },
    });
  }
  if (sizeBytes > maxObjectBytes || sizeBytes > partBytes * parts.maxParts) {
    throw new ExhibitError("policy.too-large", "This file is too large for the store.", {
      hint: `Send larger parts; at most ${parts.maxParts} of them and ${maxObjectBytes} bytes.`,
      facts: { sizeBytes, partBytes },
    });
  }
}

/** The number of a part, from 1. @throws ExhibitError `usage.invalid` for what cannot be a part of the upload */
export function partNumberOf(
  upload: Upload,
  { offset, length }: Pick<HashedPart, "offset" | "length">,
  bodyBytes = length,
): number {
  const { sizeBytes, partBytes } = upload;
  const number = offset / partBytes + 1;
  const isOne = Number.isSafeInteger(number) && offset >= 0 && offset < sizeBytes;
  if (isOne && length === lengthOf(upload, number) && bodyBytes === length) return number;
  throw new ExhibitError("usage.invalid", "This is not one of the upload's parts.", {
    hint: `A part begins at a multiple of ${partBytes} and has ${partBytes} bytes, or what is left of the file.`,
    facts: { offset, length, bodyBytes, sizeBytes },
  });
}

/** How long a part is. */
export function lengthOf({ sizeBytes, partBytes }: Upload, number: number): number {
  return Math.min(partBytes, sizeBytes - (number - 1) * partBytes);
}

/** How many parts an upload has. A file without a byte is one part without a byte. */
export function partCountOf({ sizeBytes, partBytes }: Upload): number {
  return Math.max(1, Math.ceil(sizeBytes / partBytes));
}
