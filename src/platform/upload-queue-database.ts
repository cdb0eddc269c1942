import { chmodSync } from "node:fs";
import type Database from "libsql";
import { z } from "zod";
import { openSqlite } from "./sqlite.ts";
import { stateFailure } from "./state-folder.ts";

/** A queue that was written in another form is made anew: walking the source fills it again. */
const formVersion = 3;

const tables = `
  create table plan (
    place integer primary key, name text not null, source_id text not null, plan text not null,
    state text not null default 'waiting', outcome text
  ) strict;
  create table note (place integer primary key, state text not null, outcome text not null) strict;
  create table run (number integer not null) strict;
  insert into run values (0);
  pragma user_version = ${formVersion};
`;

type Values = readonly (string | number)[];

/** The tables of a queue; each call is one prepared statement. */
export interface QueueDatabase {
  /** Begins a run: forgets what earlier ones noted, and gives its number, from 1. */
  newRun(): number;
  isEmpty(): boolean;
  /** Makes `byName` and `bySourceId` quick. An index that is filled as it comes costs several times as much as the rows. */
  index(): void;
  /** Place, name, source id, plan. */
  insert(row: Values): void;
  byName(name: string): unknown;
  bySourceId(sourceId: string): unknown;
  /** To this place, from this place: it waits again, and what became of it is kept. */
  move(places: Values): void;
  forget(place: number): void;
  /** Behind this place, so many. */
  waiting(page: Values): unknown[];
  /** State, outcome, place. */
  settle(row: Values): void;
  /** State, outcome. */
  note(row: Values): void;
  /** Of this state, behind this place, so many. */
  readonly outcomes: (page: Values) => unknown[];
  readonly notes: (page: Values) => unknown[];
  atOnce(change: () => void): void;
  /** Says that whatever is in it is over: whoever opens the file again finds it empty. */
  forgetAll(): void;
  close(): void;
}

/** Opens the tables of a queue in `file`, for this user alone, or makes them. @throws as `UploadQueues.open` */
export function openQueueDatabase(file: string): QueueDatabase {
  const guarded = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (cause) {
      throw stateFailure(file, cause) ?? cause;
    }
  };
  const database = guarded(() => openTables(file));
  const run = (text: string): ((values: Values) => boolean) => {
    const statement = database.prepare(text);
    return (values) => guarded(() => statement.run(...values).changes > 0);
  };
  const all = (text: string): ((values: Values) => unknown[]) => {
    const statement = database.prepare(text);
    return (values) => guarded(() => statement.all(...values));
  };
  const byName = all(
    "select place, plan, outcome is not null and state <> 'failed' as was_done from plan where name = ?",
  );
  const bySourceId = all("select place, name from plan where source_id = ?");
  const forget = run("delete from plan where place = ?");
  const begin = run("begin immediate");
  const commit = run("commit");
  return {
    newRun: () =>
      guarded(() => {
        database.exec("delete from note; update run set number = number + 1");
        return z
          .object({ number: z.number() })
          .parse(database.prepare("select number from run").get()).number;
      }),
    isEmpty: () =>
      guarded(() => database.prepare("select 1 from plan limit 1").get() === undefined),
    index: () => {
      guarded(() =>
        database.exec(
          "create index if not exists plan_name on plan (name); create index if not exists plan_source on plan (source_id)",
        ),
      );
    },
    insert: run("insert into plan (place, name, source_id, plan) values (?, ?, ?, ?)"),
    byName: (name) => byName([name])[0],
    bySourceId: (sourceId) => bySourceId([sourceId])[0],
    move: run("update plan set place = ?, state = 'waiting' where place = ?"),
    forget: (place) => {
      forget([place]);
    },
    waiting: all(
      "select place, plan, outcome from plan where place > ? and state = 'waiting' order by place limit ?",
    ),
    settle: run("update plan set state = ?, outcome = ? where place = ?"),
    note: run("insert into note (state, outcome) values (?, ?)"),
    outcomes: all(
      "select place, outcome from plan where state = ? and place > ? order by place limit ?",
    ),
    notes: all(
      "select place, outcome from note where state = ? and place > ? order by place limit ?",
    ),
    atOnce: (change) => {
      begin([]);
      try {
        change();
        commit([]);
      } catch (error) {
        if (database.inTransaction) database.exec("rollback");
        throw error;
      }
    },
    forgetAll: () => {
      guarded(() => database.exec("pragma user_version = 0"));
    },
    close: () => {
      database.close();
    },
  };
}

function openTables(file: string): Database.Database {
  // What it says too little of after a power loss is found again: by walking the source, and by asking the store.
  const database = openSqlite(file, "process");
  try {
    chmodSync(file, 0o600);
    const found = z
      .object({ user_version: z.number() })
      .parse(database.prepare("pragma user_version").get()).user_version;
    if (found === formVersion) return database;
    database.exec(
      `drop table if exists plan; drop table if exists note; drop table if exists run; ${tables}`,
    );
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
