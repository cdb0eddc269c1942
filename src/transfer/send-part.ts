import { hasCode } from "../evidence/errors.ts";
import type { Part, Upload } from "../evidence/ports/store.ts";
import type { FileTransfer } from "./file-transfer.ts";
import type { WantedDigests } from "./content-hash.ts";
import { partOf } from "./part-of.ts";
import { sendUnchanged } from "./send-unchanged.ts";

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
  const { store } = transfer;
  try {
    await sendUnchanged(transfer, part, () => store.putPart(upload, part, signal), signal);
  } catch (error) {
    const { lengths } = store.capabilities.parts;
    const isCut = hasCode(error, "policy.too-large") && lengths === "any";
    if (!isCut || part.length < leastCutBytes) throw error;
    for (const half of halves(part, store.capabilities))
      await sendPart(transfer, upload, half, signal);
  }
}

function halves({ offset, bytes }: Part, wanted: WantedDigests): Part[] {
  const middle = Math.ceil(bytes.byteLength / 2);
  return [
    partOf(offset, bytes.subarray(0, middle), wanted),
    partOf(offset + middle, bytes.subarray(middle), wanted),
  ];
}
