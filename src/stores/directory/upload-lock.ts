import { access } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import Database from "libsql";
import { ExhibitError } from "../../evidence/errors.ts";

const betweenTriesMs = 20;
const patienceMs = 10_000;

interface Held {
  users: number;
  readonly database: Promise<Database.Database>;
}

/**
 * Keeps everyone else from changing or publishing an upload while this store works on it; work of this store shares
 * the lock. It is the one that SQLite takes on a file: held by the system, so that no crash leaves it behind.
 */
export class UploadLock {
  readonly #held = new Map<string, Held>();

  /**
   * Runs `work` while the lock on `file` (empty for ever) is held.
   *
   * @throws ExhibitError `unavailable.busy` when another keeps it for more than 10 s; `unavailable.store` where the
   * file system has no locks
   */
  async during<T>(file: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const held = this.#held.get(file) ?? { users: 0, database: lock(file) };
    this.#held.set(file, held);
    held.users += 1;
    let database: Database.Database | undefined;
    try {
      database = await held.database;
      signal.throwIfAborted();
      return await work();
    } finally {
      held.users -= 1;
      if (held.users === 0) {
        this.#held.delete(file);
        database?.close();
      }
    }
  }
}

async function lock(file: string): Promise<Database.Database> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const database = await tryLock(file);
    if (database !== undefined) return database;
    if (performance.now() >= until) throw inUse();
    // SQLite's own waiting would stop this whole process, and with it whoever else holds the lock here.
    await pause(betweenTriesMs);
  }
}

async function tryLock(file: string): Promise<Database.Database | undefined> {
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { timeout: 0 });
    // With its journal in memory nothing is written, so that a full disk can be locked too.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return database;
  } catch (cause) {
    database?.close();
    if ((cause as { code?: unknown }).code === "SQLITE_BUSY") return undefined;
    // The upload may have ended meanwhile, and its folder with it (`ENOENT`).
    await access(file);
    throw unlockable(cause);
  }
}

function inUse(): ExhibitError {
  return new ExhibitError("unavailable.busy", "Another process is sending or proving this file.", {
    hint: "Let it finish, then run the same command again.",
  });
}

function unlockable(cause: unknown): ExhibitError {
  return new ExhibitError("unavailable.store", "The store's file system cannot lock a file.", {
    hint: "Check that the disk is connected; a network folder has to be mounted with locks.",
    cause,
  });
}
