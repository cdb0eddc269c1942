import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { Kysely } from "kysely";
import type {
  BackupRequest,
  MadeBackup,
  RestoredBackup,
  RestoreRequest,
  ServerKeeping,
} from "../cli/server-keeping.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { rotateKey } from "./rotate-key.ts";
import type { BackupManifest } from "../platform/backup/manifest.ts";
import { unpackBackup } from "../platform/backup/read-backup.ts";
import { writeBackup, type BackupFile } from "../platform/backup/write-backup.ts";
import { notWhole } from "../platform/backup/encryption.ts";
import { placeOf } from "../platform/content-place.ts";
import { lockName, noServer, placesIn, type DataPlaces } from "../platform/data-folder.ts";
import { takePassingLock } from "../platform/file-lock.ts";
import { lastStartIn } from "../platform/last-start.ts";
import { pathsOn, type MachineFacts } from "../platform/paths.ts";
import { flushNames, makePrivateFolder } from "../platform/private-folder.ts";
import { keyText, readServerKeys } from "../platform/server-key.ts";
import { checkSqlite, snapshotSqlite, sqliteDialect } from "../platform/sqlite.ts";
import { databaseFacts } from "../server/database/facts.ts";
import { refuseNewer } from "../server/database/migrate.ts";
import type { Tables } from "../server/database/tables.ts";

/** The data folders of servers on this machine. */
export function serverKeeping(facts: MachineFacts, version: string): ServerKeeping {
  const folderOf = (dataDir: string | undefined): DataPlaces =>
    placesIn(dataDir ?? pathsOn(facts).serverDir);
  return {
    backup: (request, signal) => backup(folderOf(request.dataDir), version, request, signal),
    restore: (request, signal) => restore(request, signal),
    rotateKey: (request) => rotateKey(folderOf(request.dataDir), request.oldKeyLost),
  };
}

async function backup(
  places: DataPlaces,
  version: string,
  { target, passphrase }: BackupRequest,
  signal: AbortSignal,
): Promise<MadeBackup> {
  process.umask(0o077);
  const text = await keyText(places.keyFile);
  if (text === undefined || !existsSync(places.databaseFile)) throw noServer(places.path);
  const { key } = await readServerKeys(text, places.keyFile);
  const release = takePassingLock(path.join(places.path, "backup.lock"));
  if (release === undefined) {
    throw new ExhibitError("conflict.locked", "Another backup of this server is being made.", {
      hint: "Let it finish, then try again.",
    });
  }
  try {
    await clearStaging(places.path);
    // Beside the database and not beside the backup: what is copied there is not encrypted yet.
    const staging = await mkdtemp(path.join(places.path, "backup-"));
    const snapshot = path.join(staging, "exhibit.sqlite");
    snapshotSqlite(places.databaseFile, snapshot);
    const database = await factsOf(snapshot);
    if ((await keyText(places.keyFile)) !== text) {
      throw new ExhibitError("conflict.locked", "The server's key was changed meanwhile.", {
        hint: "Make the backup again.",
      });
    }
    const madeAt = new Date();
    const start = lastStartIn(places);
    const facts: Omit<BackupManifest, "files"> = {
      schema: "exhibit.backup/1",
      madeAt: madeAt.toISOString(),
      tool: { name: "exhibit", version },
      server: { thumbprint: key.thumbprint, ...start },
      content: (await placeOf(places)) ?? "folder",
      database,
    };
    const aside = (name: string): string => path.join(staging, name);
    // Copied aside, so that what is digested is what is written, whatever changes meanwhile.
    await writeFile(aside("server-key.json"), text, { mode: 0o600 });
    for (const live of [places.contentPlaceFile, places.lastStartFile]) {
      if (existsSync(live)) await copyFile(live, aside(path.basename(live)));
    }
    const candidates: BackupFile[] = [
      { name: "server-key.json", file: aside("server-key.json") },
      { name: "content-place.json", file: aside(path.basename(places.contentPlaceFile)) },
      { name: "last-start.json", file: aside(path.basename(places.lastStartFile)) },
      { name: "exhibit.sqlite", file: snapshot },
    ];
    const files = candidates.filter(({ file }) => existsSync(file));
    const file = await targetFile(target, madeAt, passphrase !== undefined);
    const made = await writeBackup(file, facts, files, passphrase, signal);
    const { sizeBytes, sha256, manifest } = made;
    return { ...manifest, file, sizeBytes, sha256, encrypted: passphrase !== undefined };
  } finally {
    await clearStaging(places.path);
    release();
  }
}

/** Removes what this backup, or one that was killed, has copied aside. Called under the backup's lock only. */
async function clearStaging(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (/^backup-\w{6}$/.test(name)) await rm(path.join(root, name), { recursive: true });
  }
}

/** In a folder a backup is named for its time, to the millisecond. */
async function targetFile(target: string, madeAt: Date, isEncrypted: boolean): Promise<string> {
  const isFolder = await stat(target).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return target;
  const time = madeAt.toISOString().replace(/[-:.]/g, "");
  return path.join(target, `exhibit-${time}.backup${isEncrypted ? ".enc" : ".tar"}`);
}

async function factsOf(file: string): Promise<BackupManifest["database"]> {
  const database = new Kysely<Tables>({ dialect: sqliteDialect(file) });
  try {
    await refuseNewer(database);
    return await databaseFacts(database);
  } finally {
    await database.destroy();
  }
}

const unpackedName = ".restoring";

async function restore(
  { file, dataDir, passphrase }: RestoreRequest,
  signal: AbortSignal,
): Promise<RestoredBackup> {
  process.umask(0o077);
  await requireEmpty(dataDir);
  makePrivateFolder(dataDir);
  // So that no server starts in here, with a key of its own, before this is done.
  const release = takePassingLock(path.join(dataDir, lockName));
  if (release === undefined) {
    throw new ExhibitError("conflict.locked", `Another process uses the folder ${dataDir}.`, {
      hint: "Name an empty folder that nobody uses.",
    });
  }
  const unpacked = path.join(dataDir, unpackedName);
  try {
    await rm(unpacked, { recursive: true, force: true });
    const manifest = await unpackBackup(file, unpacked, passphrase, signal);
    await requireFit(unpacked, manifest);
    await mkdir(path.join(dataDir, "content"), { mode: 0o700 });
    // The key last: a folder without one, and with a database, is refused by `serve`.
    for (const { name } of manifest.files.toReversed()) {
      await rename(path.join(unpacked, name), path.join(dataDir, name));
    }
    flushNames(dataDir);
    return { ...manifest, dataDir };
  } finally {
    await rm(unpacked, { recursive: true, force: true });
    release();
  }
}

async function requireEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new ExhibitError("usage.invalid", `The folder ${folder} cannot be used.`, {
      hint: "Name an empty folder that you may write to: --data DIR.",
      cause: error,
    });
  });
  const passed = new Set(["lost+found", lockName, unpackedName]);
  if (names.every((name) => passed.has(name))) return;
  throw new ExhibitError("conflict.exists", `The folder ${folder} is not empty.`, {
    hint: "A backup is never restored over anything. Name an empty folder, and put the content there afterwards.",
  });
}

/** The files of the backup are what they are called, belong together, and this version can use them. */
async function requireFit(unpacked: string, manifest: BackupManifest): Promise<void> {
  const { keyFile, databaseFile } = placesIn(unpacked);
  const text = await keyText(keyFile);
  if (text === undefined || !existsSync(databaseFile)) throw notWhole();
  const { key } = await readServerKeys(text, "server-key.json");
  if (key.thumbprint !== manifest.server.thumbprint) throw notWhole();
  try {
    checkSqlite(databaseFile);
  } catch (cause) {
    throw notWhole(cause);
  }
  await factsOf(databaseFile);
}
