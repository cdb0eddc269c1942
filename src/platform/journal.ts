import path from "node:path";
import { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";
import type { Journal, JournalFile, JournalJob } from "../evidence/ports/journal.ts";
import { openJournalDatabase, type JournalDatabase } from "./journal-database.ts";
import { startOf } from "./process-identity.ts";
import { makeStateFolder } from "./state-folder.ts";

/** A journal on this machine's disk, with a way to close it. */
export interface FileJournal extends Journal {
  close(): void;
}

const jobRow = z
  .object({ id: z.string(), store: z.string(), request: z.string(), started_at: z.string() })
  .transform((row): JournalJob => ({
    id: row.id,
    store: row.store,
    request: JSON.parse(row.request) as unknown,
    startedAt: row.started_at,
  }));

const fileRow = z
  .object({ file: z.string() })
  .transform((row) => JSON.parse(row.file) as JournalFile);

const claimRow = z.object({ pid: z.number(), start: z.string() });

/**
 * Opens the journal, creating it (0600, its folder 0700) when absent. A damaged one is moved aside and `onNote` told:
 * what the stores hold is asked of the stores, so nothing is lost but the list for `resume`.
 *
 * @throws ExhibitError `conflict.schema-newer` when a newer version wrote it; `usage.invalid` where it cannot be kept;
 * `unavailable.no-space` while writing
 */
export function openJournal(file: string, onNote: (note: string) => void): FileJournal {
  makeStateFolder(path.dirname(file));
  const database = openJournalDatabase(file, onNote);
  return {
    saveJob: (job) => {
      database.run(
        `insert into job (id, store, request, started_at) values (?, ?, ?, ?)
         on conflict (id) do update set store = excluded.store, request = excluded.request`,
        [job.id, job.store, JSON.stringify(job.request), job.startedAt],
      );
    },
    openJobs: () =>
      z.array(jobRow).parse(database.all("select * from job order by started_at, id", [])),
    finishJob: (id) => {
      database.run("delete from job where id = ?", [id]);
    },
    saveFile: (saved) => {
      const save = (): void => {
        database.run(
          `insert into file (store, key, job_id, file) values (?, ?, ?, ?)
           on conflict (store, key) do update set job_id = excluded.job_id, file = excluded.file`,
          [saved.store, saved.key, saved.jobId, JSON.stringify(saved)],
        );
      };
      // What a store holds whole, it can be asked for again.
      if (saved.stored !== undefined) database.unflushed(save);
      else save();
    },
    file: (store, key) =>
      fileRow
        .optional()
        .parse(database.all("select file from file where store = ? and key = ?", [store, key])[0]),
    filesOf: (jobId) =>
      z
        .array(fileRow)
        .parse(database.all("select file from file where job_id = ? order by key", [jobId])),
    forgetFile: (store, key) => {
      database.run("delete from file where store = ? and key = ?", [store, key]);
    },
    // A claim means nothing without its process.
    claim: (id) => {
      database.unflushed(() => {
        claim(database, id);
      });
    },
    release: (id) => {
      const { pid } = process;
      const forget = (): void => {
        database.run("delete from claim where id = ? and pid = ?", [id, pid]);
      };
      const others = "select 1 from claim where id <> ? and pid = ? limit 1";
      // The last one flushes what was not.
      if (database.all(others, [id, pid]).length > 0) database.unflushed(forget);
      else forget();
    },
    close: () => {
      database.close();
    },
  };
}

/** Takes the claim in one transaction, so that of two processes that try at once one gets it. */
function claim(database: JournalDatabase, id: string): void {
  database.atOnce(() => {
    const held = claimRow
      .optional()
      .parse(database.all("select pid, start from claim where id = ?", [id])[0]);
    if (held !== undefined && held.pid !== process.pid && startOf(held.pid) === held.start) {
      throw new ExhibitError(
        "conflict.locked",
        `This is being uploaded already, by process ${held.pid} on this computer.`,
        {
          hint: "Let that one finish. If you stopped it, wait until it has ended, then try again.",
          facts: { pid: held.pid },
        },
      );
    }
    database.run(
      `insert into claim (id, pid, start) values (?, ?, ?)
       on conflict (id) do update set pid = excluded.pid, start = excluded.start`,
      [id, process.pid, startOf(process.pid) ?? ""],
    );
  });
}
