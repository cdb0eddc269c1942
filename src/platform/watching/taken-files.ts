import { chmodSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { TakenFiles } from "../../evidence/ports/watched-folder.ts";
import { openSqlite } from "../sqlite.ts";
import { makeStateFolder, stateFailure } from "../state-folder.ts";

const takenRow = z
  .object({ version: z.string(), exhibit: z.string(), receipt_path: z.string() })
  .transform(({ version, exhibit, receipt_path: receiptPath }) => ({
    version,
    exhibit,
    receiptPath,
  }));

/**
 * Opens the list of what was taken from a folder for a store, in `file`, which all watched folders of this user share.
 *
 * @throws ExhibitError `usage.invalid` where it cannot be kept; `unavailable.no-space`
 */
export function openTakenFiles(file: string, folder: string): TakenFiles & { close(): void } {
  const guarded = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (cause) {
      throw stateFailure(file, cause) ?? cause;
    }
  };
  makeStateFolder(path.dirname(file));
  const database = guarded(() => {
    const opened = openSqlite(file);
    chmodSync(file, 0o600);
    opened.exec(
      `create table if not exists taken (
        folder text not null, path text not null, version text not null, exhibit text not null,
        receipt_path text not null, primary key (folder, path)
      ) strict`,
    );
    return opened;
  });
  const find = database.prepare(
    "select version, exhibit, receipt_path from taken where folder = ? and path = ?",
  );
  const save = database.prepare(
    `insert into taken (folder, path, version, exhibit, receipt_path) values (?, ?, ?, ?, ?)
     on conflict (folder, path) do update set version = excluded.version, exhibit = excluded.exhibit,
     receipt_path = excluded.receipt_path`,
  );
  return {
    find: (name) => guarded(() => takenRow.optional().parse(find.get(folder, name))),
    save: (name, { version, exhibit, receiptPath }) => {
      guarded(() => save.run(folder, name, version, exhibit, receiptPath));
    },
    close: () => {
      database.close();
    },
  };
}
