import type { WholeDigests } from "../evidence/digest.ts";
import { ExhibitError, hasCode } from "../evidence/errors.ts";
import { keptDiffers } from "../evidence/kept.ts";
import type { JournalFile } from "../evidence/ports/journal.ts";
import type { SourceEntry } from "../evidence/ports/source.ts";
import type { Stored } from "../evidence/ports/store.ts";
import type { FileTransfer } from "./file-transfer.ts";
import { hashFile } from "./hash-file.ts";
import { persistently } from "./persistence.ts";
import { readBack } from "./read-back.ts";
import type { WatchedFile } from "./watched-file.ts";

/**
 * Refuses a source that has another size than when its upload began. All else that a file system says of a file may
 * change while its bytes do not (permissions, a disk connected again): those are told by the digests of what is held.
 *
 * @throws ExhibitError `integrity.source-changed`
 */
export function requireSameSize(known: JournalFile | undefined, entry: SourceEntry): void {
  const began = known?.stored ?? known?.upload;
  if (known === undefined || began === undefined || began.sizeBytes === entry.sizeBytes) return;
  throw changedSince(known, entry);
}

/**
 * What the journal says was stored, if the store still has it and the source, hashed again, is still the same.
 *
 * @throws ExhibitError `integrity.source-changed`
 */
export async function stillStored(
  transfer: FileTransfer,
  known: JournalFile | undefined,
  file: WatchedFile,
  signal: AbortSignal,
): Promise<Stored | undefined> {
  const { store, key, entry } = transfer;
  if (known?.stored === undefined) return undefined;
  const there = await persistently(() => store.stat(key, signal), transfer, signal);
  if (there?.sizeBytes !== known.stored.sizeBytes) return undefined;
  // Another object in its place: what was proved then is not proved of it.
  const { kept } = known.stored;
  const differs = kept && there.kept && keptDiffers(kept, there.kept);
  if (differs !== undefined && differs.length > 0) return undefined;
  if ((await hashed(transfer, file, signal)).sha256 === known.stored.sha256) return known.stored;
  throw changedSince(known, entry);
}

/**
 * What lies under a key that `begin` found taken, if it is this very file: an earlier run may have completed it and
 * died before it could write that down.
 *
 * @throws ExhibitError `conflict` when other bytes lie there
 */
export async function sameUnderKey(
  transfer: FileTransfer,
  known: JournalFile,
  file: WatchedFile,
  conflict: ExhibitError,
  signal: AbortSignal,
): Promise<Stored> {
  const { store, key, entry } = transfer;
  const there = await persistently(() => store.stat(key, signal), transfer, signal);
  if (there?.sizeBytes !== entry.sizeBytes) throw conflict;
  const whole = await hashed(transfer, file, signal);
  const { kept } = there;
  if (whole.sha1 !== undefined && kept?.checksums?.["sha1"] !== undefined) {
    // The store tells the digest that it would compare: nothing has to be read back.
    if (kept.checksums["sha1"] !== whole.sha1) throw conflict;
    const { proof } = store.capabilities;
    return { key, sizeBytes: entry.sizeBytes, sha256: whole.sha256, proof, kept };
  }
  const stored =
    (await completedBefore(transfer, known, whole, signal)) ?? (await readBack(transfer, signal));
  if (stored.sha256 !== whole.sha256) throw conflict;
  return stored;
}

/** Completing again is answered without sending anything, as long as the store remembers the upload. */
async function completedBefore(
  transfer: FileTransfer,
  { upload }: JournalFile,
  whole: WholeDigests,
  signal: AbortSignal,
): Promise<Stored | undefined> {
  if (upload === undefined) return undefined;
  try {
    return await persistently(
      () => transfer.store.complete(upload, whole, signal),
      transfer,
      signal,
    );
  } catch (error) {
    if (hasCode(error, "not-found.upload")) return undefined;
    throw error;
  }
}

function hashed(
  { entry, store, onEvent }: FileTransfer,
  file: WatchedFile,
  signal: AbortSignal,
): Promise<WholeDigests> {
  return hashFile(
    file,
    (bytes) => {
      onEvent({ type: "part-done", path: entry.path, bytes, sent: false });
    },
    signal,
    store.capabilities,
  );
}

function changedSince(known: JournalFile, entry: SourceEntry): ExhibitError {
  const hint =
    known.upload === undefined || known.stored !== undefined
      ? "What arrived stays as it is. Upload the file as it is now as a new exhibit, under another reference or source id."
      : `To send it as it is now, first run: exhibit uploads abort ${known.upload.id}`;
  return new ExhibitError(
    "integrity.source-changed",
    `${entry.path} is not what it was when its upload began.`,
    { hint, facts: { listedBytes: entry.sizeBytes } },
  );
}
