import { chmodSync, existsSync, renameSync } from "node:fs";
import type Database from "libsql";
import { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";
import { openSqlite } from "./sqlite.ts";
import { stateFailure } from "./state-folder.ts";

/** Version of the tables below; a journal with a higher one was written by a newer program. */
const schemaVersion = 1;

const tables = `
  create table job (
    id text primary key, store text not null, request text not null, started_at text not null
  ) strict;
  create table file (
    store text not null, key text not null,
    job_id text not null references job (id) on delete cascade,
    file text not null,
    primary key (store, key)
  ) strict;
  create table claim (id text primary key, pid integer not null, start text not null) strict;
  pragma user_version = ${schemaVersion};
`;

/** The journal's tables, spoken to in text, numbers and null. */
export interface JournalDatabase {
  run(text: string, values: readonly (string | number)[]): void;
  all(text: string, values: readonly (string | number)[]): unknown[];
  /** Runs `change` in one transaction that holds the write lock from its beginning. */
  atOnce(change: () => void): void;
  /** What is written by `change` survives this process, but a power loss only once something else was written. */
  unflushed(change: () => void): void;
  close(): void;
}

/** Opens or creates the tables; a damaged file is moved aside. @throws ExhibitError `conflict.schema-newer` */
export function openJournalDatabase(file: string, onNote: (note: string) => void): JournalDatabase {
  try {
    return spoken(openChecked(file), file);
  } catch (error) {
    if (!isDamage(error)) throw stateFailure(file, error) ?? error;
    const aside = moveAside(file);
    onNote(
      `The journal of this computer was damaged and has been moved to ${aside}. Nothing that was sent is lost: ` +
        "run your last upload command again and it goes on where it was.",
    );
    return spoken(openChecked(file), file);
  }
}

function openChecked(file: string): Database.Database {
  const database = openSqlite(file);
  try {
    chmodSync(file, 0o600);
    // Another process may be creating the same tables: the lock makes one of us wait and then see them.
    database.exec("begin immediate");
    const version = z
      .object({ user_version: z.number() })
      .parse(database.prepare("pragma user_version").get()).user_version;
    if (version > schemaVersion) {
      throw new ExhibitError(
        "conflict.schema-newer",
        `The journal ${file} was written by a newer version of this program.`,
        { hint: "Install the newer version again, or finish its uploads there first." },
      );
    }
    if (version === 0) database.exec(tables);
    database.exec("commit");
    const check = z
      .array(z.object({ quick_check: z.string() }))
      .parse(database.prepare("pragma quick_check(1)").all());
    if (check[0]?.quick_check !== "ok") throw new DamagedJournal(check[0]?.quick_check);
    return database;
  } catch (error) {
    // Closing does not end a transaction by itself: its lock would outlive this attempt.
    if (database.inTransaction) database.exec("rollback");
    database.close();
    throw error;
  }
}

class DamagedJournal extends Error {
  override readonly name = "DamagedJournal";
}

function isDamage(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return (
    error instanceof DamagedJournal ||
    (typeof code === "string" && /^SQLITE_(?:CORRUPT|NOTADB)/.test(code))
  );
}

function moveAside(file: string): string {
  const aside = `${file}.damaged-${new Date().toISOString().replaceAll(":", "")}`;
  renameSync(file, aside);
  for (const suffix of ["-wal", "-shm"]) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  return aside;
}

function spoken(database: Database.Database, file: string): JournalDatabase {
  const statements = new Map<string, Database.Statement>();
  const prepared = (text: string): Database.Statement => {
    const statement = statements.get(text) ?? database.prepare(text);
    statements.set(text, statement);
    return statement;
  };
  const run = (text: string, values: readonly (string | number)[]): void => {
    try {
      prepared(text).run(...values);
    } catch (cause) {
      throw stateFailure(file, cause) ?? cause;
    }
  };
  return {
    run,
    all: (text, values) => prepared(text).all(...values),
    atOnce: (change) => {
      run("begin immediate", []);
      try {
        change();
        run("commit", []);
      } catch (error) {
        if (database.inTransaction) run("rollback", []);
        throw error;
      }
    },
    unflushed: (change) => {
      run("pragma synchronous = NORMAL", []);
      try {
        change();
      } finally {
        run("pragma synchronous = FULL", []);
      }
    },
    close: () => {
      statements.clear();
      database.close();
    },
  };
}
