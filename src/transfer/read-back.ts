import { createHash } from "node:crypto";
import { ExhibitError } from "../evidence/errors.ts";
import type { Stored } from "../evidence/ports/store.ts";
import { proves, type Proof } from "../evidence/proof.ts";
import type { FileTransfer } from "./file-transfer.ts";
import { persistently } from "./persistence.ts";

/**
 * Whether what a store proves by itself is enough, or asked to be read back. Nothing is read back to reach another proof: it takes as long as
 * the upload, and nobody asked for that.
 */
export function isReachable(proof: Proof, wanted: Proof): boolean {
  return proves(proof, wanted) || wanted === "read-back";
}

/** Reads a key again from the store. Its proof is that, or the one that the store asks of all it takes in. */
export async function readBack(transfer: FileTransfer, signal: AbortSignal): Promise<Stored> {
  const { store, key, entry, onEvent } = transfer;
  return persistently(
    async () => {
      // Asked before: should another object take its place while it is read, the two do not fit together, and that will show.
      const kept = (await store.stat(key, signal))?.kept;
      const hash = createHash("sha256");
      let sizeBytes = 0;
      const content = (await store.open(key, undefined, signal)) as AsyncIterable<Buffer>;
      for await (const bytes of content) {
        hash.update(bytes);
        sizeBytes += bytes.length;
        onEvent({ type: "proving", path: entry.path, provedBytes: sizeBytes });
      }
      const { proof } = store.capabilities;
      return {
        key,
        sizeBytes,
        sha256: hash.digest("hex"),
        proof: proves(proof, "read-back") ? proof : "read-back",
        ...(kept === undefined ? {} : { kept }),
      };
    },
    transfer,
    signal,
  );
}

/**
 * Reads stored content back where `read-back` was asked for and less was proved.
 *
 * @throws ExhibitError `integrity.mismatch` when other bytes come back
 */
export async function provedAsAsked<Sent extends Stored>(
  transfer: FileTransfer,
  stored: Sent,
  signal: AbortSignal,
): Promise<Sent> {
  const { requireProof } = transfer;
  if (requireProof !== "read-back" || proves(stored.proof, requireProof)) return stored;
  const back = await readBack(transfer, signal);
  if (back.sha256 === stored.sha256 && back.sizeBytes === stored.sizeBytes) {
    return { ...stored, proof: back.proof };
  }
  throw new ExhibitError(
    "integrity.mismatch",
    `${transfer.entry.path} was stored, and other bytes came back.`,
    {
      hint: "It is not sealed. Do not rely on this store: keep the source, and tell whoever administers it.",
      facts: { expected: stored.sha256, found: back.sha256 },
    },
  );
}
