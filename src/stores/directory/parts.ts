import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Capabilities, Part, Upload } from "../../evidence/ports/store.ts";
import { noRetention } from "../no-retention.ts";

const mib = 1024 * 1024;

/** What a directory can do. */
export const directoryCapabilities: Capabilities = {
  parts: { lengths: "any", minBytes: 1, maxBytes: 64 * mib, maxParts: 1_000_000 },
  maxPutBytes: 64 * mib,
  minUploadBytes: 0,
  comparesSha1: false,
  maxObjectBytes: 16 * mib * mib,
  proof: "read-back",
  refusesOverwrite: true,
  allotsReferences: true,
  retention: noRetention,
};

/** @throws ExhibitError `usage.invalid`, `policy.too-large` */
export function checkSizes(sizeBytes: number, partBytes: number): void {
  const { parts, maxObjectBytes } = directoryCapabilities;
  const whole = Number.isSafeInteger(sizeBytes) && Number.isSafeInteger(partBytes);
  if (!whole || sizeBytes < 0 || partBytes < parts.minBytes || partBytes > parts.maxBytes) {
    throw new ExhibitError("usage.invalid", "This size or part size is not possible.", {
      hint: `A part has ${parts.minBytes} to ${parts.maxBytes} bytes.`,
      facts: { sizeBytes, partBytes },
    });
  }
  if (sizeBytes > maxObjectBytes || Math.ceil(sizeBytes / partBytes) > parts.maxParts) {
    throw new ExhibitError("policy.too-large", "This file is too large for the store.", {
      hint: `Send larger parts; at most ${parts.maxParts} of them and ${maxObjectBytes} bytes.`,
      facts: { sizeBytes, partBytes },
    });
  }
}

/** @throws ExhibitError `usage.invalid` for what cannot be a part of the upload; `integrity.mismatch` when bytes and digest disagree */
export function checkPart(upload: Upload, part: Part): void {
  const { offset, length, bytes } = part;
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  const inside = offset >= 0 && length > 0 && offset + length <= upload.sizeBytes;
  if (!whole || !inside || length > upload.partBytes || bytes.byteLength !== length) {
    throw new ExhibitError("usage.invalid", "This is not one of the upload's parts.", {
      hint: `A part lies within the file and has ${upload.partBytes} bytes at most.`,
      facts: { offset, length, bodyBytes: bytes.byteLength, sizeBytes: upload.sizeBytes },
    });
  }
  if (sha256Of(bytes) !== part.sha256) {
    throw new ExhibitError("integrity.mismatch", "A part was changed on its way to the store.", {
      hint: "It was not kept. Send it again.",
      facts: { offset, length },
    });
  }
}

export function changed(): ExhibitError {
  return new ExhibitError(
    "integrity.mismatch",
    "The bytes were changed on their way to the store.",
    {
      hint: "Nothing was stored. Send them again.",
    },
  );
}
