import { createReadStream } from "node:fs";
import { mkdir, open, readFile } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type Header } from "tar-stream";
import { ExhibitError } from "../../evidence/errors.ts";
import { decrypted, isEncrypted, notWhole } from "./encryption.ts";
import { backupFileNames, manifestName, manifestSchema, type BackupManifest } from "./manifest.ts";
import { writePrivateCopy } from "./private-copy.ts";

/** The longest manifest that is read. */
const maxManifestBytes = 64 * 1024;

/**
 * Unpacks a backup into a new folder and gives its manifest, once every file in it was compared with its digest there.
 * `passphrase` is asked for where the backup is encrypted.
 *
 * @throws ExhibitError `not-found.source`; `usage.missing` without a passphrase; `auth.keys-refused`; `integrity.mismatch`
 */
export async function unpackBackup(
  file: string,
  folder: string,
  passphrase: () => Promise<string>,
  signal: AbortSignal,
): Promise<BackupManifest> {
  await mkdir(folder, { mode: 0o700 });
  const bytes = createReadStream(file, { signal });
  const encryptedFile = isEncrypted(await firstByte(file));
  const plain = encryptedFile ? decrypted(bytes, await passphrase()) : bytes;
  const found = new Map<string, { readonly sizeBytes: number; readonly sha256: string }>();
  try {
    const tar = extract();
    const unpacking = (async () => {
      for await (const entry of tar) {
        const name = nameOf(entry.header, found);
        found.set(
          name,
          await writePrivateCopy(path.join(folder, name), entry as AsyncIterable<Buffer>, signal),
        );
      }
    })();
    // Awaited together: which of them fails first depends on where the file is damaged.
    const [streamed, unpacked] = await Promise.allSettled([
      pipeline(Readable.from(plain), tar, { signal }),
      unpacking,
    ]);
    const failed = [unpacked, streamed].find(({ status }) => status === "rejected");
    const ours = [unpacked, streamed].find(
      (one) => one.status === "rejected" && one.reason instanceof ExhibitError,
    );
    const first = ours ?? failed;
    if (first?.status === "rejected") throw first.reason;
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof ExhibitError || code === "ENOSPC") throw error;
    throw notWhole(error);
  }
  const manifest = await readManifest(path.join(folder, manifestName));
  for (const { name, sizeBytes, digest } of manifest.files) {
    const one = found.get(name);
    if (one?.sizeBytes !== sizeBytes || one.sha256 !== digest.sha256) throw notWhole();
  }
  if (found.size !== manifest.files.length + 1) throw notWhole();
  return manifest;
}

/** The name of an entry, where it is one that a backup has, and has once: a name must not lead out of the folder. */
function nameOf({ name, type, size }: Header, found: ReadonlyMap<string, unknown>): string {
  const known = [manifestName, ...backupFileNames].find((one) => one === name);
  const isFirst = found.size === 0;
  if (known === undefined || type !== "file" || found.has(known)) throw notWhole();
  if (isFirst !== (known === manifestName)) throw notWhole();
  if (isFirst && size > maxManifestBytes) throw notWhole();
  return known;
}

async function readManifest(file: string): Promise<BackupManifest> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    throw notWhole(cause);
  }
}

async function firstByte(file: string): Promise<Uint8Array> {
  try {
    const handle = await open(file, "r");
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new ExhibitError("not-found.source", `The backup ${file} cannot be read.`, {
      hint: "Check the path and that you may read it.",
      cause,
    });
  }
}
