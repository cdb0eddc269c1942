import { mkdir, realpath, rm, stat } from "node:fs/promises";
import path from "node:path";
import { addAbortSignal, type Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { ByteRange, KeyStat, Store, Stored } from "../../evidence/ports/store.ts";
import { randomId } from "../../evidence/random-id.ts";
import { cannotRetain } from "../no-retention.ts";
import { makeFolder, writeDurably } from "./durable.ts";
import { exactStream, openForReading } from "./exact-stream.ts";
import { errnoOf, folderFailure, inFolder } from "./failures.ts";
import { finishedSize, sameContent } from "./finished.ts";
import { hashFile } from "./following-hash.ts";
import { keyDigest, keyPath, uploadsFolder } from "./layout.ts";
import { listKeys } from "./listing.ts";
import { changed, directoryCapabilities } from "./parts.ts";
import { publish } from "./publish.ts";
import { DirectoryUploads } from "./uploads.ts";

/**
 * A store in a folder (a disk, a NAS): each key is a read-only file below it, and what is unfinished lies in
 * `.uploads` until it is proved. Several processes may use one folder at once.
 *
 * @throws ExhibitError `unavailable.store` when the folder is not there: it is never made, because a drive that is
 * not connected would look like one
 */
export async function openDirectoryStore(folder: string): Promise<Store> {
  const root = await inFolder(folder, () => realpath(folder));
  if (!(await stat(root)).isDirectory()) {
    throw new ExhibitError("unavailable.store", `The store at ${folder} is not a folder.`);
  }
  const uploads = new DirectoryUploads(root);
  const guarded = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
    inFolder(root, () => {
      signal.throwIfAborted();
      return work();
    });

  return {
    url: pathToFileURL(root).href,
    capabilities: directoryCapabilities,
    put: (key, bytes, sha256, signal) =>
      guarded(signal, () => put(root, key, bytes, sha256, signal)),
    begin: (key, sizeBytes, partBytes, signal) =>
      guarded(signal, () => uploads.begin(key, sizeBytes, partBytes)),
    putPart: (upload, part, signal) => guarded(signal, () => uploads.putPart(upload, part, signal)),
    listParts: (upload, signal) => guarded(signal, () => uploads.listParts(upload)),
    complete: (upload, { sha256 }, signal, onProved) =>
      guarded(signal, () => uploads.complete(upload, sha256, signal, onProved)),
    retain: cannotRetain,
    abort: (upload, signal) => guarded(signal, () => uploads.abort(upload)),
    uploads: (signal) => guarded(signal, () => uploads.uploads(signal)),
    stat: (key, signal) =>
      guarded(signal, async () => {
        const sizeBytes = await finishedSize(root, key);
        return sizeBytes === undefined ? undefined : { key, sizeBytes };
      }),
    list: (prefix, signal) => list(root, prefix, signal),
    open: (key, range, signal) => guarded(signal, () => open(root, key, range, signal)),
  };
}

async function put(
  root: string,
  key: string,
  bytes: Uint8Array,
  sha256: string,
  signal: AbortSignal,
): Promise<Stored> {
  const wanted = { key, sizeBytes: bytes.byteLength, sha256 };
  if (bytes.byteLength > directoryCapabilities.maxPutBytes) {
    throw new ExhibitError("policy.too-large", "This is too large for one request.", {
      hint: "Send it in parts.",
    });
  }
  if (sha256Of(bytes) !== sha256) throw changed();
  if ((await finishedSize(root, key)) !== undefined) return sameContent(root, wanted, signal);
  const folder = path.join(uploadsFolder(root), randomId(`.put-${keyDigest(key)}-`));
  await makeFolder(root, uploadsFolder(root));
  await mkdir(folder);
  try {
    const temporary = path.join(folder, "content");
    await writeDurably(temporary, bytes);
    if ((await hashFile(temporary, bytes.byteLength, signal)) !== sha256) throw changed();
    signal.throwIfAborted();
    if (!(await publish(root, temporary, key))) return await sameContent(root, wanted, signal);
    return { ...wanted, proof: "read-back" };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* list(root: string, prefix: string, signal: AbortSignal): AsyncGenerator<KeyStat> {
  try {
    signal.throwIfAborted();
    for await (const key of listKeys(root, prefix)) {
      signal.throwIfAborted();
      const sizeBytes = await finishedSize(root, key);
      if (sizeBytes !== undefined) yield { key, sizeBytes };
    }
  } catch (error) {
    throw folderFailure(root, error);
  }
}

async function open(
  root: string,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<Readable> {
  const file = keyPath(root, key);
  const sizeBytes = await finishedSize(root, key);
  if (sizeBytes === undefined) throw unknownContent();
  const { start, end } = range ?? { start: 0, end: sizeBytes };
  const whole = Number.isSafeInteger(start) && Number.isSafeInteger(end);
  if (!whole || start < 0 || end < start || end > sizeBytes) {
    throw new ExhibitError("usage.invalid", "The file has no such range of bytes.", {
      facts: { start, end, sizeBytes },
    });
  }
  try {
    const handle = await openForReading(file);
    return addAbortSignal(signal, exactStream(handle, { start, end }));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw unknownContent();
    throw error;
  }
}

function unknownContent(): ExhibitError {
  return new ExhibitError("not-found.content", "The store holds nothing under this key.", {
    hint: "Check the exhibit's reference, and that its upload was finished.",
  });
}
