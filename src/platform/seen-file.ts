import { chmodSync } from "node:fs";
import { z } from "zod";
import type { Seen } from "../evidence/ports/seen.ts";
import { openSqlite } from "./sqlite.ts";
import { stateFailure } from "./state-folder.ts";

const aboutRow = z.object({ about: z.string() });

/** A list in a file of its own, for this user alone, which `onClose` removes. It is written in one transaction that nobody commits. */
export function seenFile(file: string, onClose: () => void): Seen {
  const guarded = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (cause) {
      throw stateFailure(file, cause) ?? cause;
    }
  };
  return guarded(() => {
    const database = openSqlite(file, "process");
    chmodSync(file, 0o600);
    database.exec(
      "create table seen (name text primary key, about text not null) strict, without rowid; begin",
    );
    const insert = database.prepare(
      "insert into seen (name, about) values (?, ?) on conflict (name) do nothing",
    );
    const read = database.prepare("select about from seen where name = ?");
    let isOpen = true;
    return {
      note: (name, about) =>
        guarded(() => {
          if (insert.run(name, about).changes > 0) return undefined;
          return aboutRow.parse(read.get(name)).about;
        }),
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        database.exec("rollback");
        database.close();
        onClose();
      },
    };
  });
}
