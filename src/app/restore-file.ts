import { createHash, type Hash } from "node:crypto";
import { ExhibitError } from "../evidence/errors.ts";
import type { DestinationFile } from "../evidence/ports/destination.ts";
import type { Store } from "../evidence/ports/store.ts";
import type { RecordFile } from "../evidence/record.ts";
import type { Persistence } from "../transfer/persistence.ts";
import { readContent } from "./read-content.ts";

/** One file on its way back. */
export interface Restoring extends Persistence {
  readonly store: Store;
  readonly file: RecordFile;
  readonly place: DestinationFile;
}

export interface Restored {
  readonly sha256: string;
  readonly outcome: "downloaded" | "present";
}

/**
 * Brings one file back under its own name, verified against the record before it gets that name. What an earlier try
 * left is hashed again and continued; if the whole then does not fit, it is fetched anew, once.
 *
 * @throws ExhibitError `integrity.mismatch` when the store's bytes are not those of the record; `conflict.exists` when
 * another file has the name; `unavailable.*`, `policy.unsupported`, `not-found.content`
 */
export async function restoreFile(restoring: Restoring, signal: AbortSignal): Promise<Restored> {
  const { file, place, onEvent } = restoring;
  const { path, sizeBytes } = file;
  const { sha256 } = file.digest;
  onEvent({ type: "file-started", path, sizeBytes });
  const { finishedBytes, partialBytes } = await place.state();
  if (finishedBytes !== undefined) {
    const same =
      finishedBytes === sizeBytes &&
      (await hashOf(restoring, "finished", signal)).digest("hex") === sha256;
    if (!same) throw takenName(place.name);
    onEvent({ type: "file-done", path, proof: "whole" });
    return { sha256, outcome: "present" };
  }
  const resumable = partialBytes !== undefined && partialBytes <= sizeBytes ? partialBytes : 0;
  const fits =
    (resumable > 0 && (await fetchFrom(restoring, resumable, signal))) ||
    (await fetchFrom(restoring, 0, signal));
  if (!fits) throw notAsRecorded(file);
  onEvent({ type: "file-done", path, proof: "whole" });
  return { sha256, outcome: "downloaded" };
}

/** Fetches what is behind `from`; false when the whole is not what the record says. */
async function fetchFrom(
  restoring: Restoring,
  from: number,
  signal: AbortSignal,
): Promise<boolean> {
  const { store, file, place, onEvent } = restoring;
  const { key, path, sizeBytes } = file;
  const writer = await place.write(from);
  try {
    // Only now, when nobody else can write it, is what lies there worth hashing.
    const hash = from === 0 ? createHash("sha256") : await hashOf(restoring, "partial", signal);
    let received = from;
    const onBytes = async (bytes: Uint8Array): Promise<void> => {
      hash.update(bytes);
      received += bytes.length;
      await writer.append(bytes);
      onEvent({ type: "part-done", path, bytes: bytes.length, sent: true });
    };
    await readContent({ store, key, from, sizeBytes, onBytes }, restoring, signal);
    if (received !== sizeBytes || hash.digest("hex") !== file.digest.sha256) return false;
    await writer.finish(new Date(file.modifiedAt));
    return true;
  } finally {
    await writer.close();
  }
}

async function hashOf(
  { file, place, onEvent }: Restoring,
  which: "finished" | "partial",
  signal: AbortSignal,
): Promise<Hash> {
  const hash = createHash("sha256");
  for await (const bytes of place.read(which)) {
    signal.throwIfAborted();
    hash.update(bytes);
    onEvent({ type: "part-done", path: file.path, bytes: bytes.length, sent: false });
  }
  return hash;
}

function takenName(name: string): ExhibitError {
  return new ExhibitError("conflict.exists", `Another file lies at ${name} already.`, {
    hint: "Nothing was overwritten. Download into another folder.",
  });
}

function notAsRecorded({ key }: RecordFile): ExhibitError {
  return new ExhibitError(
    "integrity.mismatch",
    `What the store holds under ${key} is not what the signed record says.`,
    {
      hint: "The file was not restored. Tell your administrator, and do not rely on this copy.",
      facts: { key },
    },
  );
}
