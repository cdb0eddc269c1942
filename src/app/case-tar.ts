import { createHash } from "node:crypto";
import { formatAddress } from "../evidence/address.ts";
import { caseSchema } from "../evidence/case.ts";
import { sha256Of } from "../evidence/digest.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { custodyName, exhibitPrefix, receiptName, recordName } from "../evidence/key.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { ExhibitEntry } from "../evidence/ports/register.ts";
import type { RecordFile } from "../evidence/record.ts";
import { ahead } from "./ahead.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";
import { findExhibit } from "./find-exhibit.ts";
import { readContent } from "./read-content.ts";
import { notAsRecorded, readWhole, type WholeExhibit } from "./read-whole.ts";
import { TarArchive, type TarFile, type WriteBytes } from "./tar-archive.ts";

/** Exhibits that are read while those before them are being sent. */
const exhibitsAhead = 8;

/** What `sha256sum -c` reads: a line a file of the archive, in its order. The last file of all. */
const sumsName = "SHA256SUMS";

/** What each file was called at its source. */
const namesName = "FILES.txt";

export interface CaseTarRequest {
  readonly store?: string;
  /** All exhibits of a case, or one. */
  readonly of: { readonly case: string } | { readonly exhibit: string };
  /** Takes the archive's bytes in order, and keeps the sender waiting while it cannot take more. */
  readonly write: WriteBytes;
}

export interface CaseTarResult {
  readonly exhibits: number;
  /** Of evidence; the documents beside it are not counted. */
  readonly files: number;
  readonly bytes: number;
  /** Exhibits of the case that are still being uploaded, and are not in the archive: `CASE:ABC/1`. */
  readonly unfinished: readonly string[];
}

export type CaseTarDeps = Pick<Deps, "connect" | "patience" | "outage" | "onEvent">;

/**
 * Streams a case's sealed exhibits as one tar archive: their files under the very keys that receipts name, records, receipts,
 * custody logs, the files' own names, and `SHA256SUMS` at the end. Each byte is compared with the signed record before the last of
 * its file leaves; a connection that breaks is taken up where it broke. Memory grows by some hundred bytes a file.
 *
 * @throws ExhibitError `not-found.exhibit` before the first byte; `integrity.*`, `unavailable.*` and whatever `write` throws, after
 * which the archive ends inside a file, so that whoever reads it fails, too
 */
export async function caseTar(
  deps: CaseTarDeps,
  request: CaseTarRequest,
  signal: AbortSignal,
): Promise<CaseTarResult> {
  return connected(deps, request.store, async (connection) => {
    const { sealed, unfinished } = await exhibitsOf(connection, request, signal);
    const archive = new TarArchive(request.write);
    const packing = new Packing(deps, connection, archive, signal);
    try {
      const total = await packing.all(sealed);
      return { exhibits: sealed.length, ...total, unfinished };
    } catch (error) {
      // Whoever reads it may be gone: then there is nobody to mislead.
      await archive.breakOff().catch(() => undefined);
      throw error;
    }
  });
}

async function exhibitsOf(
  { register }: Connection,
  { of }: CaseTarRequest,
  signal: AbortSignal,
): Promise<{ sealed: readonly ExhibitEntry[]; unfinished: readonly string[] }> {
  const found: ExhibitEntry[] = [];
  if ("exhibit" in of) found.push(await findExhibit(register, of.exhibit, signal));
  else {
    const caseRef = checked(caseSchema, of.case, "The case");
    for await (const entry of register.list(caseRef, signal)) found.push(entry);
  }
  const sealed = found.filter(({ state }) => state === "sealed");
  const unfinished = found.filter(({ state }) => state === "open").map(formatAddress);
  if (sealed.length > 0) return { sealed, unfinished };
  const what = "case" in of ? `the case ${of.case}` : of.exhibit;
  throw new ExhibitError("not-found.exhibit", `There is no finished exhibit in ${what}.`, {
    hint:
      unfinished.length > 0
        ? "What is there is still being uploaded: exhibit uploads list."
        : "Check the case; exhibit list shows what you may see.",
  });
}

/** One archive on its way. */
class Packing {
  readonly #deps: CaseTarDeps;
  readonly #connection: Connection;
  readonly #archive: TarArchive;
  readonly #signal: AbortSignal;
  #sums: string[] = [];
  #names: string[] = [];
  #files = 0;
  #bytes = 0;

  constructor(deps: CaseTarDeps, connection: Connection, archive: TarArchive, signal: AbortSignal) {
    this.#deps = deps;
    this.#connection = connection;
    this.#archive = archive;
    this.#signal = signal;
  }

  async all(exhibits: readonly ExhibitEntry[]): Promise<{ files: number; bytes: number }> {
    const read = ahead(exhibits, exhibitsAhead, (entry) =>
      readWhole(this.#deps, this.#connection, entry, this.#signal),
    );
    let left = exhibits.length;
    for await (const one of read) {
      left -= 1;
      await this.#exhibit(one, left === 0);
    }
    await this.#document(namesName, this.#names.join(""), new Date());
    const sums = Buffer.from(this.#sums.join(""));
    await this.#archive.add(fileOf(sumsName, sums, new Date()), (write) => write(sums));
    await this.#archive.end();
    return { files: this.#files, bytes: this.#bytes };
  }

  async #exhibit({ sealed, custody, contents }: WholeExhibit, isLast: boolean): Promise<void> {
    const { record, receipt } = sealed;
    const bytes = record.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const { onEvent } = this.#deps;
    onEvent({ type: "planned", files: record.files.length, bytes, isComplete: isLast });
    for (const file of record.files) await this.#content(file, contents.get(file.key));
    const prefix = exhibitPrefix(sealed.case, sealed.reference);
    const sealedAt = new Date(receipt.receivedAt);
    // Byte for byte as they lie in the store: the receipt holds the digest of the record.
    await this.#document(`${prefix}/${recordName}`, JSON.stringify(sealed.sealedRecord), sealedAt);
    await this.#document(
      `${prefix}/${receiptName}`,
      JSON.stringify(sealed.sealedReceipt),
      sealedAt,
    );
    await this.#document(`${prefix}/${custodyName}`, custody, sealedAt);
  }

  async #document(name: string, text: string, at: Date): Promise<void> {
    const bytes = Buffer.from(text);
    await this.#archive.add(fileOf(name, bytes, at), (write) => write(bytes));
    this.#sums.push(sumLine(sha256Of(bytes), name));
  }

  async #content(file: RecordFile, read: Uint8Array | undefined): Promise<void> {
    const { key, path, sizeBytes, digest } = file;
    const { onEvent } = this.#deps;
    onEvent({ type: "file-started", path, sizeBytes });
    const entry = { name: key, sizeBytes, modifiedAt: new Date(file.modifiedAt) };
    await this.#archive.add(entry, (write) => this.#verified(file, read, write));
    onEvent({ type: "file-done", path, proof: "whole" });
    this.#sums.push(sumLine(digest.sha256, key));
    this.#names.push(nameLine(file));
    this.#files += 1;
    this.#bytes += sizeBytes;
  }

  /** Passes a file's bytes on, the last of them only when all are what the record says. */
  async #verified(
    { key, path, sizeBytes, digest }: RecordFile,
    read: Uint8Array | undefined,
    write: WriteBytes,
  ): Promise<void> {
    const { store } = this.#connection;
    const hash = createHash("sha256");
    let received = 0;
    const requireDigest = (): void => {
      if (hash.copy().digest("hex") !== digest.sha256) throw notAsRecorded(key);
    };
    const onBytes = async (bytes: Uint8Array): Promise<void> => {
      hash.update(bytes);
      received += bytes.length;
      if (received > sizeBytes) throw notAsRecorded(key);
      if (received === sizeBytes) requireDigest();
      await write(bytes);
      this.#deps.onEvent({ type: "part-done", path, bytes: bytes.length, sent: true });
    };
    if (read !== undefined) await onBytes(read);
    else {
      const reading = { store, key, from: 0, sizeBytes, onBytes };
      await readContent(reading, this.#deps, this.#signal);
    }
    if (received !== sizeBytes) throw notAsRecorded(key);
    requireDigest();
  }
}

function fileOf(name: string, bytes: Uint8Array, modifiedAt: Date): TarFile {
  return { name, sizeBytes: bytes.byteLength, modifiedAt };
}

/** Names are keys, which hold nothing that coreutils would want escaped. */
function sumLine(sha256: string, name: string): string {
  return `${sha256}  ${name}\n`;
}

/** A tab between key, size and the name at the source as a JSON string, in which nothing can move a cursor or turn text around. */
function nameLine({ key, sizeBytes, path }: RecordFile): string {
  const name = JSON.stringify(path).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu, (character) =>
    Array.from({ length: character.length }, (_, at) => {
      const unit = character.charCodeAt(at).toString(16).padStart(4, "0");
      return `\\u${unit}`;
    }).join(""),
  );
  return `${key}\t${sizeBytes}\t${name}\n`;
}
