import { sha256Of } from "../evidence/digest.ts";
import { ExhibitError, hasCode } from "../evidence/errors.ts";
import type { Part, Upload } from "../evidence/ports/store.ts";
import type { FileTransfer } from "./file-transfer.ts";
import { overLine } from "./line.ts";
import { persistently } from "./persistence.ts";

/** A part that arrived changed so often was not struck by chance: something on the way changes what is sent. */
const triesUnchanged = 4;

/** A shorter part is not cut in two. */
const leastCutBytes = 128 * 1024;

/**
 * Sends one part until it is durable. One that was changed on its way is sent again, a few times; one that something on
 * the way finds too long is sent in halves, where the store takes parts of any length.
 *
 * @throws ExhibitError `integrity.mismatch`, `conflict.part-differs`, `unavailable.*`; the signal's reason
 */
export async function sendPart(
  transfer: FileTransfer,
  upload: Upload,
  part: Part,
  signal: AbortSignal,
): Promise<void> {
  try {
    await sendUnchanged(transfer, upload, part, signal);
  } catch (error) {
    const { lengths } = transfer.store.capabilities.parts;
    const isCut = hasCode(error, "policy.too-large") && lengths === "any";
    if (!isCut || part.length < leastCutBytes) throw error;
    for (const half of halves(part)) await sendPart(transfer, upload, half, signal);
  }
}

async function sendUnchanged(
  transfer: FileTransfer,
  upload: Upload,
  part: Part,
  signal: AbortSignal,
): Promise<void> {
  const { store, line, onEvent } = transfer;
  const put = (): Promise<void> =>
    overLine(line, part.length, () => store.putPart(upload, part, signal));
  for (let tries = 1; ; tries += 1) {
    try {
      await persistently(put, transfer, signal);
      return;
    } catch (error) {
      if (!hasCode(error, "integrity.mismatch")) throw error;
      requireUnchanged(part);
      if (tries === triesUnchanged) throw error;
      onEvent({ type: "waiting", reason: "A part was changed on its way", seconds: 0 });
    }
  }
}

/** The store found other bytes than were hashed: here is where to look first, for the memory may be at fault. */
function requireUnchanged({ offset, bytes, sha256 }: Part): void {
  if (sha256Of(bytes) === sha256) return;
  throw new ExhibitError(
    "integrity.mismatch",
    "Bytes changed in this computer's memory after they were read.",
    {
      hint: "Its memory may be faulty: have it tested, and send from another computer. Nothing changed was stored.",
      facts: { offset },
    },
  );
}

function halves({ offset, bytes }: Part): Part[] {
  const middle = Math.ceil(bytes.byteLength / 2);
  return [
    { at: 0, of: bytes.subarray(0, middle) },
    { at: middle, of: bytes.subarray(middle) },
  ].map(({ at, of }) => ({
    offset: offset + at,
    length: of.byteLength,
    sha256: sha256Of(of),
    bytes: of,
  }));
}
