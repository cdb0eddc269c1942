import { formatAddress } from "../evidence/address.ts";
import { ExhibitError, familyOf } from "../evidence/errors.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { ExhibitEntry, SealedExhibit } from "../evidence/ports/register.ts";
import type { RecordFile } from "../evidence/record.ts";
import { persistently, type Persistence } from "../transfer/persistence.ts";
import { requireHead } from "./custody-log.ts";
import { readContent } from "./read-content.ts";

/** Contents of so many bytes in all come with an exhibit: thousands of small files would each wait for the one before. */
const contentBytes = 512 * 1024;

/** An exhibit's documents, checked, and its contents as far as they are small. */
export interface WholeExhibit {
  readonly sealed: SealedExhibit;
  readonly custody: string;
  /** By their keys; of the sizes that the record says, and not compared with its digests yet. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads a sealed exhibit: record, receipt, custody log, and its first files up to 512 KiB in all.
 *
 * @throws ExhibitError `integrity.*`, which names the exhibit; `not-found.*`, `unavailable.*`
 */
export async function readWhole(
  persistence: Persistence,
  connection: Connection,
  entry: ExhibitEntry,
  signal: AbortSignal,
): Promise<WholeExhibit> {
  const documents = await persistently(
    () => documentsOf(connection, entry, signal),
    persistence,
    signal,
  );
  const contents = new Map<string, Uint8Array>();
  let room = contentBytes;
  for (const file of documents.sealed.record.files) {
    if (file.sizeBytes > room) break;
    room -= file.sizeBytes;
    contents.set(file.key, await smallContent(persistence, connection, file, signal));
  }
  return { ...documents, contents };
}

async function documentsOf(
  { register }: Connection,
  entry: ExhibitEntry,
  signal: AbortSignal,
): Promise<Pick<WholeExhibit, "sealed" | "custody">> {
  try {
    const sealed = await register.read(entry, signal);
    const lines = await register.custody(entry, signal);
    requireHead(lines, sealed.receipt.custody, entry.id);
    return { sealed, custody: lines.map((line) => `${line}\n`).join("") };
  } catch (error) {
    throw error instanceof ExhibitError ? about(entry, error) : error;
  }
}

async function smallContent(
  persistence: Persistence,
  { store }: Connection,
  { key, sizeBytes }: RecordFile,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let room = sizeBytes;
  const onBytes = (bytes: Uint8Array): void => {
    room -= bytes.length;
    if (room < 0) throw notAsRecorded(key);
    pieces.push(bytes);
  };
  await readContent({ store, key, from: 0, sizeBytes, onBytes }, persistence, signal);
  return Buffer.concat(pieces);
}

/** Among thousands of exhibits, the one whose documents are wrong is named. */
function about(entry: ExhibitEntry, error: ExhibitError): ExhibitError {
  if (familyOf(error.code) !== "integrity") return error;
  const { hint, facts } = error;
  return new ExhibitError(error.code, `${formatAddress(entry)}: ${error.message}`, {
    ...(hint === undefined ? {} : { hint }),
    facts,
    cause: error,
  });
}

/** Content in the store is not what its record says, and the archive that it was read for has to break off. */
export function notAsRecorded(key: string): ExhibitError {
  return new ExhibitError(
    "integrity.mismatch",
    `What the store holds under ${key} is not what the signed record says.`,
    {
      hint: "The archive was broken off there and must not be used. Tell your administrator.",
      facts: { key },
    },
  );
}
