import Database from "libsql";

/** Lets go of a lock; the system does so, too, when the process dies in any way. */
export type ReleaseLock = () => void;

/**
 * Takes an exclusive lock on `file` (made when absent, empty for ever), or gives undefined when another process
 * keeps it for longer than `waitMs`. It is the lock that SQLite takes on a database: held by the system for the
 * process, so there is no stale one and no race in taking it over.
 */
export function takeLock(file: string, waitMs: number): ReleaseLock | undefined {
  const database = new Database(file, { timeout: waitMs });
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
