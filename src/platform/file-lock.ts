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

function tryLock(file: string): ReleaseLock | undefined {
  const database = new Database(file, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { code?: unknown }).code === "SQLITE_BUSY") return undefined;
    throw error;
  }
  return () => {
    database.close();
  };
}
