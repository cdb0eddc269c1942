import { rmSync, statSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import Database from "libsql";

/** Lets go of a lock; the system does so, too, when the process dies in any way. */
export type ReleaseLock = () => void;

const betweenTriesMs = 20;

/**
 * Takes an exclusive lock on `file` (made when absent, empty for ever), or gives undefined when someone else keeps it
 * for longer than `waitMs`. It is the lock that SQLite takes on a database: held by the system for the process, so
 * there is no stale one and no race in taking it over.
 */
export async function takeLock(file: string, waitMs: number): Promise<ReleaseLock | undefined> {
  const until = performance.now() + waitMs;
  for (;;) {
    const release = tryLock(file);
    if (release !== undefined || performance.now() >= until) return release;
    // SQLite's own waiting would stop this whole process, and with it whoever else holds the lock here.
    await pause(betweenTriesMs);
  }
}

/** As {@link takeLock}, at once or not at all, and letting go takes the file away: for a place that is to stay clean. */
export function takePassingLock(file: string): ReleaseLock | undefined {
  for (;;) {
    const before = inodeOf(file);
    const release = tryLock(file);
    if (release === undefined) return undefined;
    // Who had the lock before may have taken the file away after we opened it: a lock on that keeps nobody out.
    if (before !== undefined && inodeOf(file) === before) return removing(file, release);
    release();
  }
}

function inodeOf(file: string): bigint | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })?.ino;
}

function removing(file: string, release: ReleaseLock): ReleaseLock {
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    // Windows takes no open file away: it is let go of first there, and stays when someone else has it by then.
    if (process.platform === "win32") release();
    try {
      rmSync(file, { force: true });
    } catch {
      // An empty file that stays does no harm.
    }
    release();
  };
}

function tryLock(file: string): ReleaseLock | undefined {
  const database = new Database(file, { timeout: 0 });
  try {
    // With its journal in memory nothing is written, so that a lock is had on a full disk, too.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { code?: unknown }).code === "SQLITE_BUSY") return undefined;
    throw error;
  }
  return () => {
    database.close();
  };
}
