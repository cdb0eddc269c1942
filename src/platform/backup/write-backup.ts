import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";
import { ExhibitError } from "../../evidence/errors.ts";
import { flushNames, makePrivateFolder } from "../private-folder.ts";
import { encrypted } from "./encryption.ts";
import { manifestName, type BackupManifest } from "./manifest.ts";
import { writePrivateCopy } from "./private-copy.ts";

/** A file that goes into a backup, and where it lies. */
export interface BackupFile {
  readonly name: BackupManifest["files"][number]["name"];
  readonly file: string;
}

/** A backup that was written. */
export interface WrittenBackup {
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly manifest: BackupManifest;
}

/**
 * Writes a backup: a tar (POSIX.1) of its manifest and the files, encrypted where there is a passphrase. It is written aside,
 * for this user alone (0600), flushed, and only then has its name: whole or not at all. Whatever is there is never overwritten.
 *
 * @throws ExhibitError `conflict.exists` when the name is taken; `unavailable.no-space`; `usage.invalid` when it cannot be written
 */
export async function writeBackup(
  target: string,
  facts: Omit<BackupManifest, "files">,
  files: readonly BackupFile[],
  passphrase: string | undefined,
  signal: AbortSignal,
): Promise<WrittenBackup> {
  const described: BackupManifest["files"] = [];
  for (const { name, file } of files) {
    const { size } = await stat(file);
    described.push({ name, sizeBytes: size, digest: { sha256: await digestOf(file, signal) } });
  }
  const manifest: BackupManifest = { ...facts, files: described };
  const tar = pack();
  const plain = tar as AsyncIterable<Uint8Array>;
  const aside = `${target}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await requireFree(target);
    makePrivateFolder(path.dirname(target));
    const filling = fill(tar, manifest, files, signal);
    const [written] = await Promise.all([
      writePrivateCopy(
        aside,
        passphrase === undefined ? plain : encrypted(plain, passphrase),
        signal,
      ),
      filling,
    ]);
    await requireFree(target);
    await rename(aside, target);
    flushNames(path.dirname(target));
    return { file: target, ...written, manifest };
  } catch (error) {
    tar.destroy();
    await rm(aside, { force: true });
    signal.throwIfAborted();
    throw ofDisk(error, target);
  }
}

async function fill(
  tar: Pack,
  manifest: BackupManifest,
  files: readonly BackupFile[],
  signal: AbortSignal,
): Promise<void> {
  const mtime = new Date(manifest.madeAt);
  tar.entry({ name: manifestName, mode: 0o600, mtime }, `${JSON.stringify(manifest, null, 2)}\n`);
  for (const [at, { name, file }] of files.entries()) {
    const size = manifest.files[at]?.sizeBytes ?? 0;
    await pipeline(createReadStream(file), tar.entry({ name, mode: 0o600, mtime, size }), {
      signal,
    });
  }
  tar.finalize();
}

async function digestOf(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash, { signal });
  return hash.digest("hex");
}

async function requireFree(target: string): Promise<void> {
  const there = await stat(target).catch(() => undefined);
  if (there === undefined) return;
  throw new ExhibitError("conflict.exists", `${target} is there already.`, {
    hint: "Name another file, or a folder: there each backup has a name of its own.",
  });
}

function ofDisk(error: unknown, target: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof ExhibitError || code === undefined) return error;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new ExhibitError("unavailable.no-space", `There is no room for the backup ${target}.`, {
      hint: "Make room, or name another place. Nothing was written.",
      cause: error,
    });
  }
  return new ExhibitError("usage.invalid", `The backup ${target} cannot be written (${code}).`, {
    hint: "Name a file or folder that you may write to.",
    cause: error,
  });
}
