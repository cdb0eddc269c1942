import { sha256Of } from "../evidence/digest.ts";
import { ExhibitError, hasCode } from "../evidence/errors.ts";
import type { JournalFile } from "../evidence/ports/journal.ts";
import type { SourceEntry } from "../evidence/ports/source.ts";
import type { Stored } from "../evidence/ports/store.ts";
import { requireSameSize, sameUnderKey, stillStored } from "./already-stored.ts";
import type { FileTransfer, Transferred } from "./file-transfer.ts";
import { requireFixed } from "./fixed-digest.ts";
import { choosePartBytes, shortestPartBytes } from "./part-size.ts";
import { parkedAfter, parkingMs } from "./parking.ts";
import { persistently } from "./persistence.ts";
import { provedAsAsked } from "./read-back.ts";
import { sendUnchanged } from "./send-unchanged.ts";
import { sendPart } from "./send-part.ts";
import { sendParts } from "./send-parts.ts";
import { openWatched, type WatchedFile } from "./watched-file.ts";

/**
 * Brings one file into a store and has it proved there: read once, hashed on the way, sent in parts that are skipped
 * where the store holds them already. Repeat it after any interruption, even without the journal.
 *
 * @throws ExhibitError `integrity.source-changed`, `integrity.mismatch`, `conflict.exists` when the key holds other
 * bytes, `unavailable.*`, `policy.too-large`, `auth.*`; the signal's reason (what has arrived is kept)
 */
export async function transferFile(
  transfer: FileTransfer,
  signal: AbortSignal,
): Promise<Transferred> {
  const { source, entry, store, key, journal, onEvent } = transfer;
  signal.throwIfAborted();
  const file = await openWatched(source, entry);
  try {
    const known = journal.file(store.url, key);
    requireSameSize(known, entry);
    onEvent({ type: "file-started", path: entry.path, sizeBytes: entry.sizeBytes });
    const before = await stillStored(transfer, known, file, signal);
    const arrived = before === undefined ? await send(transfer, known, file, signal) : held(before);
    requireFixed(transfer.fixed, entry, arrived.sha256);
    const done = await provedAsAsked(transfer, arrived, signal);
    onEvent({ type: "file-done", path: entry.path, proof: done.proof });
    return { ...done, head: file.head() };
  } finally {
    await file.close();
  }
}

type Sent = Omit<Transferred, "head">;

async function send(
  transfer: FileTransfer,
  known: JournalFile | undefined,
  file: WatchedFile,
  signal: AbortSignal,
): Promise<Sent> {
  const { jobId, exhibitId, store, key, entry, journal, line } = transfer;
  const note: JournalFile = {
    jobId,
    store: store.url,
    key,
    exhibitId,
    location: entry.location,
    upload: known?.upload,
    stored: undefined,
  };
  const { parts, maxPutBytes, minUploadBytes } = store.capabilities;
  // Where all parts have one length, that is the longest, and a shorter file is a part like any other.
  const whole = parts.lengths === "one" ? line.partSizes.most : line.partSizes.now;
  const { sizeBytes } = entry;
  const fitsOne = sizeBytes < minUploadBytes || sizeBytes <= Math.min(whole, maxPutBytes);
  const sent =
    fitsOne && note.upload === undefined
      ? await sendWhole(transfer, note, file, signal)
      : await sendUpload(transfer, note, file, signal);
  journal.saveFile({ ...note, stored: proved(sent, sent.sha256, entry) });
  return sent;
}

/**
 * One request for the whole file; in parts after all where something on the way finds it too long. The same bytes again
 * succeed, so a lost answer needs no care.
 */
async function sendWhole(
  transfer: FileTransfer,
  note: JournalFile,
  file: WatchedFile,
  signal: AbortSignal,
): Promise<Sent> {
  try {
    return await sendInOne(transfer, file, signal);
  } catch (error) {
    const { sizeBytes } = transfer.entry;
    const goesInParts = sizeBytes >= transfer.store.capabilities.minUploadBytes;
    if (!hasCode(error, "policy.too-large") || !goesInParts) throw error;
    return sendUpload(transfer, note, file, signal);
  }
}

async function sendInOne(
  transfer: FileTransfer,
  file: WatchedFile,
  signal: AbortSignal,
): Promise<Sent> {
  const { store, key, entry, line, onEvent } = transfer;
  const { sizeBytes } = entry;
  const buffer = await line.buffers.take(sizeBytes, signal);
  const parking = parkedAfter(signal, parkingMs);
  try {
    const bytes = buffer.subarray(0, sizeBytes);
    await file.fill(bytes, 0);
    const sha256 = sha256Of(bytes);
    requireFixed(transfer.fixed, entry, sha256);
    const sent = await sendUnchanged(
      transfer,
      { offset: 0, length: sizeBytes, bytes, sha256 },
      () => store.put(key, bytes, sha256, parking.signal),
      parking.signal,
    );
    const stored = proved(sent, sha256, entry);
    onEvent({ type: "part-done", path: entry.path, bytes: sizeBytes, sent: true });
    return { ...stored, bytesSent: sizeBytes, bytesSkipped: 0 };
  } finally {
    parking.end();
    line.buffers.give(buffer);
  }
}

async function sendUpload(
  transfer: FileTransfer,
  note: JournalFile,
  file: WatchedFile,
  signal: AbortSignal,
): Promise<Sent> {
  try {
    return await sendInParts(transfer, note, file, signal).catch((error: unknown) => {
      // Gone in mid-upload: it expired, was aborted by someone, or was completed and forgotten. Beginning tells which.
      if (!hasCode(error, "not-found.upload")) throw error;
      return sendInParts(transfer, note, file, signal);
    });
  } catch (error) {
    if (!hasCode(error, "conflict.exists")) throw error;
    return held(await sameUnderKey(transfer, note, file, error, signal));
  }
}

async function sendInParts(
  transfer: FileTransfer,
  note: JournalFile,
  file: WatchedFile,
  signal: AbortSignal,
): Promise<Sent> {
  const { store, key, entry, journal, line, onEvent } = transfer;
  journal.saveFile(note);
  const again = <Result>(request: () => Promise<Result>): Promise<Result> =>
    persistently(request, transfer, signal);
  const { parts } = store.capabilities;
  const most = choosePartBytes(entry.sizeBytes, line.partSizes.most, store.capabilities);
  const upload = await again(() => store.begin(key, entry.sizeBytes, most, signal));
  journal.saveFile({ ...note, upload });
  const least = shortestPartBytes(entry.sizeBytes, parts);
  const sent = await sendParts(
    {
      file,
      upload,
      held: await again(() => store.listParts(upload, signal)),
      wanted: store.capabilities,
      buffers: line.buffers,
      nextLength: () =>
        parts.lengths === "one"
          ? upload.partBytes
          : Math.min(upload.partBytes, Math.max(least, line.partSizes.now)),
      send: (part, stop) => sendPart(transfer, upload, part, stop),
      onPart: (bytes, wasSent) => {
        onEvent({ type: "part-done", path: entry.path, bytes, sent: wasSent });
      },
    },
    signal,
  );
  await file.confirm();
  requireFixed(transfer.fixed, entry, sent.whole.sha256);
  const onProved = (provedBytes: number): void => {
    onEvent({ type: "proving", path: entry.path, provedBytes });
  };
  onProved(0);
  const stored = await again(() => store.complete(upload, sent.whole, signal, onProved));
  const { whole, bytesSent, bytesSkipped } = sent;
  return { ...proved(stored, whole.sha256, entry), bytesSent, bytesSkipped };
}

function held(stored: Stored): Sent {
  return { ...stored, bytesSent: 0, bytesSkipped: stored.sizeBytes };
}

/** The store's answer, if it is about the bytes that were read. */
function proved(stored: Stored, sha256: string, entry: SourceEntry): Stored {
  const { key, sizeBytes, proof, kept } = stored;
  if (stored.sha256 === sha256 && sizeBytes === entry.sizeBytes) {
    return { key, sizeBytes, sha256, proof, ...(kept === undefined ? {} : { kept }) };
  }
  throw new ExhibitError("integrity.mismatch", `${entry.path} did not arrive as it was read.`, {
    hint: "Nothing counts as received. Run the same command again; if it happens again, tell your administrator.",
    facts: { expected: sha256, found: stored.sha256, sizeBytes },
  });
}
