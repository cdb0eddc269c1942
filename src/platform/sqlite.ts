import Database from "libsql";
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type SqliteDatabase,
} from "kysely";

/** How long a writer waits for another process's transaction. */
const busyTimeoutMs = 10_000;

/**
 * Opens a SQLite file, creating it when absent, so that what is committed survives power loss, or only this process's end:
 * then a power loss takes the last transactions, in their order, and damages nothing. Write-ahead log, `synchronous=FULL` or
 * `NORMAL`, foreign keys enforced, writers wait up to 10 s for each other.
 *
 * Bind text, numbers and null only: libsql ends the process on a boolean or a lone Buffer.
 */
export function openSqlite(
  path: string,
  survives: "power-loss" | "process" = "power-loss",
): Database.Database {
  const database = new Database(path, { timeout: busyTimeoutMs });
  try {
    for (const pragma of [
      `busy_timeout = ${busyTimeoutMs}`,
      "journal_mode = WAL",
      `synchronous = ${survives === "power-loss" ? "FULL" : "NORMAL"}`,
      "foreign_keys = ON",
    ]) {
      database.pragma(pragma);
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Copies what is committed in a SQLite file into a new file, as of one moment, while others read and write it: a reader's
 * snapshot of the write-ahead log holds up nobody. The copy is checked.
 *
 * @throws Error when the copy is not whole, or cannot be written
 */
export function snapshotSqlite(from: string, to: string): void {
  const database = openSqlite(from);
  try {
    database.prepare("vacuum into ?").run(to);
  } finally {
    database.close();
  }
  checkSqlite(to);
}

/** @throws Error when the file is not a whole SQLite database, or its rows do not fit together */
export function checkSqlite(file: string): void {
  const database = new Database(file, { timeout: busyTimeoutMs });
  try {
    const found = database.pragma("integrity_check(1)");
    const strays = database.pragma("foreign_key_check") as readonly unknown[];
    if (JSON.stringify(found) === '[{"integrity_check":"ok"}]' && strays.length === 0) return;
  } finally {
    database.close();
  }
  throw new Error("The database is damaged.");
}

/**
 * Kysely's dialect over such a file. Transactions take the write lock when they begin (two processes would
 * otherwise fail half-way with SQLITE_BUSY), and migrations run in one. One connection: inside a
 * transaction use only its `trx`, or the query waits for itself.
 */
export function sqliteDialect(path: string): Dialect {
  const config = { database: () => Promise.resolve(guarded(openSqlite(path))) };
  const base = new SqliteDialect(config);
  return {
    createDriver: () => new ImmediateDriver(config),
    createAdapter: () => new TransactionalDdlAdapter(),
    createIntrospector: (database) => base.createIntrospector(database),
    createQueryCompiler: () => base.createQueryCompiler(),
  };
}

class ImmediateDriver extends SqliteDriver implements Driver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }
}

class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Statements that are kept prepared; Kysely writes the same few again and again. */
const mostStatements = 200;

/** Turns a parameter that would end the process into an error that names the mistake, and prepares each statement once. */
function guarded(database: Database.Database): SqliteDatabase {
  const statements = new Map<string, Database.Statement>();
  const prepared = (text: string): Database.Statement => {
    const statement = statements.get(text) ?? database.prepare(text);
    // The one longest unused stands first.
    statements.delete(text);
    statements.set(text, statement);
    const [oldest] = statements.keys();
    if (statements.size > mostStatements && oldest !== undefined) statements.delete(oldest);
    return statement;
  };
  return {
    close: () => {
      statements.clear();
      database.close();
    },
    prepare: (text) => {
      const statement = prepared(text);
      return {
        reader: statement.reader,
        all: (parameters) => statement.all(bindable(parameters)),
        run: (parameters) => statement.run(bindable(parameters)),
        iterate: (parameters) => statement.iterate(bindable(parameters)),
      };
    },
  };
}

function bindable(parameters: readonly unknown[]): readonly unknown[] {
  for (const value of parameters) {
    if (value !== null && typeof value !== "string" && typeof value !== "number") {
      throw new TypeError(`SQLite parameters must be text, numbers or null, not ${typeof value}.`);
    }
  }
  return parameters;
}
