import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ExhibitError } from "../evidence/errors.ts";
import { replaceFile } from "./atomic-file.ts";
import { takeLock, type ReleaseLock } from "./file-lock.ts";
import { openServerKeys, type ServerKeys } from "./server-key.ts";

/** Where a server keeps what. */
export interface DataPlaces {
  readonly path: string;
  readonly databaseFile: string;
  readonly keyFile: string;
  readonly contentDir: string;
  /** Which bucket content is kept in, where it is not kept in the folder. */
  readonly contentPlaceFile: string;
  /** How the server was started the last time. */
  readonly lastStartFile: string;
  readonly scratchDir: string;
  readonly logFile: string;
  readonly invitationFile: string;
}

/** A server's folder, held by this process alone until `release`. */
export interface DataFolder extends DataPlaces, ServerKeys {
  release(): Promise<void>;
}

/** The places in a data folder, whether they are there or not. */
export function placesIn(folder: string): DataPlaces {
  const root = path.resolve(folder);
  const inside = (name: string): string => path.join(root, name);
  return {
    path: root,
    databaseFile: inside(databaseName),
    keyFile: inside(keyName),
    contentDir: inside("content"),
    contentPlaceFile: inside("content-place.json"),
    lastStartFile: inside("last-start.json"),
    scratchDir: inside("scratch"),
    logFile: path.join(root, "logs", "server.jsonl"),
    invitationFile: inside("first-admin-invitation.txt"),
  };
}

/**
 * Holds a data folder without looking at its keys, until what it gives is called: no server can start over it meanwhile.
 *
 * @throws ExhibitError `conflict.locked` with the process id when another process has it; `not-found.store` where no server was
 */
export async function holdDataFolder(folder: string): Promise<() => Promise<void>> {
  const { path: root, databaseFile } = placesIn(folder);
  if (!existsSync(databaseFile)) throw noServer(root);
  const release = await lock(root);
  return async () => {
    await rm(pidFile(root), { force: true });
    release();
  };
}

/** The failure where a folder is not a server's. */
export function noServer(root: string): ExhibitError {
  return new ExhibitError("not-found.store", `There is no exhibit server in the folder ${root}.`, {
    hint: "Name the folder that the server runs from: --data DIR.",
  });
}

/**
 * Opens a server's data folder, made on first use for this user alone (0700) with a new Ed25519 key (0600). With `adoptContent`
 * a folder in which nothing but its content is left may be made a server's again.
 *
 * @throws ExhibitError `conflict.locked` with the process id when another `serve` has it; `conflict.exists` when
 * the folder holds something else; `usage.invalid` when it cannot be made
 */
export async function openDataFolder(
  folder: string,
  { adoptContent = false } = {},
): Promise<DataFolder> {
  const places = placesIn(folder);
  const { path: root, databaseFile, keyFile, contentDir, scratchDir, logFile } = places;
  await prepare(root, adoptContent);
  const releaseLock = await lock(root);
  try {
    const keys = await openServerKeys(keyFile, existsSync(databaseFile));
    for (const made of [contentDir, scratchDir, path.dirname(logFile)]) {
      await mkdir(made, { recursive: true, mode: 0o700 });
    }
    return {
      ...places,
      ...keys,
      async release() {
        await rm(pidFile(root), { force: true });
        releaseLock();
      },
    };
  } catch (error) {
    releaseLock();
    throw error;
  }
}

/** Makes the folder, and refuses one that is someone else's: its scratch folder is emptied at each start. */
async function prepare(root: string, adoptContent: boolean): Promise<void> {
  let names: string[];
  try {
    await mkdir(root, { recursive: true, mode: 0o700 });
    names = await readdir(root);
  } catch (cause) {
    throw new ExhibitError("usage.invalid", `The data folder ${root} cannot be used.`, {
      hint: "Name a folder that you may write to: --data DIR.",
      cause,
    });
  }
  const ours = names.includes(keyName) || names.includes(lockName);
  const passed = new Set(["lost+found", ...(adoptContent ? ["content"] : [])]);
  if (!ours && names.some((name) => !passed.has(name))) {
    throw new ExhibitError(
      "conflict.exists",
      `The folder ${root} holds files that no exhibit server made.`,
      { hint: "Name an empty folder, or one that does not exist yet: --data DIR." },
    );
  }
}

/** Held by whoever may change the folder. */
export const lockName = "serve.lock";
const keyName = "server-key.json";
const databaseName = "exhibit.sqlite";

function pidFile(root: string): string {
  return path.join(root, "serve.pid");
}

async function lock(root: string): Promise<ReleaseLock> {
  const release = await takeLock(path.join(root, lockName), 0);
  if (release === undefined) {
    const pid = await holder(root);
    throw new ExhibitError(
      "conflict.locked",
      pid === undefined
        ? `Another server already uses the folder ${root}.`
        : `Another server (process ${pid}) already uses the folder ${root}.`,
      {
        hint: "Stop that one first, or give this one a folder of its own: --data DIR.",
        ...(pid === undefined ? {} : { facts: { pid } }),
      },
    );
  }
  await replaceFile(pidFile(root), `${process.pid}\n`);
  return release;
}

/** The process that holds the lock. It writes its id just after taking it, so this looks more than once. */
async function holder(root: string): Promise<number | undefined> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const pid = Number.parseInt(await readFile(pidFile(root), "utf8").catch(() => ""), 10);
    if (Number.isInteger(pid) && isAlive(pid)) return pid;
    await pause(30);
  }
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
