import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { JournalFile } from "../../src/evidence/ports/journal.ts";
import { openJournal, type FileJournal } from "../../src/platform/journal.ts";
import { startOf } from "../../src/platform/process-identity.ts";
import { openSqlite } from "../../src/platform/sqlite.ts";

const job = { id: "job-1", store: "met", request: { paths: ["/a"] }, startedAt: "2026-01-02" };
const file: JournalFile = {
  jobId: "job-1",
  store: "file:///nas",
  key: "A/ABC_1/ABC_1-0001.mp4",
  exhibitId: "x1",
  location: "bytes:ff00",
  upload: { id: "u1", key: "A/ABC_1/ABC_1-0001.mp4", sizeBytes: 2 ** 50, partBytes: 8 },
  stored: undefined,
};

describe("the journal", () => {
  let folder: string;
  let journalFile: string;
  let notes: string[];
  let open: FileJournal[];
  const journal = (): FileJournal => {
    const opened = openJournal(journalFile, (note) => notes.push(note));
    open.push(opened);
    return opened;
  };

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "exhibit-journal-"));
    journalFile = path.join(folder, "state", "journal.sqlite");
    notes = [];
    open = [];
  });
  afterEach(async () => {
    for (const one of open) one.close();
    await rm(folder, { recursive: true });
  });

  it("keeps jobs and files for the next process, for this user's eyes only", async () => {
    const first = journal();
    first.saveJob(job);
    first.saveFile(file);
    const next = journal();
    expect(next.openJobs()).toEqual([job]);
    expect(next.file(file.store, file.key)).toEqual(file);
    expect(next.filesOf(job.id)).toEqual([file]);
    expect(next.file("file:///other", file.key)).toBeUndefined();
    expect((await stat(journalFile)).mode & 0o777).toBe(0o600);
  });

  it("keeps when a job started when its request is saved again, and lists the oldest first", () => {
    const one = journal();
    one.saveJob(job);
    one.saveJob({ ...job, id: "job-0", startedAt: "2026-01-03" });
    one.saveJob({ ...job, request: { paths: ["/b"] }, startedAt: "2026-02-01" });
    expect(one.openJobs().map(({ id, startedAt }) => [id, startedAt])).toEqual([
      ["job-1", "2026-01-02"],
      ["job-0", "2026-01-03"],
    ]);
    expect(one.openJobs()[0]?.request).toEqual({ paths: ["/b"] });
  });

  it("forgets a file, and with a job its files", () => {
    const one = journal();
    one.saveJob(job);
    one.saveFile(file);
    one.saveFile({ ...file, key: "A/ABC_1/ABC_1-0002.mp4" });
    one.forgetFile(file.store, file.key);
    expect(one.filesOf(job.id)).toHaveLength(1);
    one.finishJob(job.id);
    expect(one.openJobs()).toEqual([]);
    expect(one.file(file.store, "A/ABC_1/ABC_1-0002.mp4")).toBeUndefined();
  });

  it("gives a claim to one living process, names it to others, and takes over from a dead one", async () => {
    const one = journal();
    const database = openSqlite(journalFile);
    const holder = spawn(process.execPath, ["-e", "process.stdin.resume()"], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    await once(holder, "spawn");
    const pid = Number(holder.pid);
    const claim = database.prepare("insert or replace into claim values (?, ?, ?)");
    claim.run("job-1", pid, startOf(pid));
    expect(() => {
      one.claim("job-1");
    }).toThrow(
      expect.objectContaining({
        code: "conflict.locked",
        message: expect.stringContaining(String(pid)),
      }),
    );
    claim.run("job-2", pid, "another process that had the same number");
    one.claim("job-2");
    holder.kill("SIGKILL");
    await once(holder, "exit");
    one.claim("job-1");
    one.claim("job-1");
    one.release("job-1");
    expect(database.prepare("select id from claim").all()).toEqual([{ id: "job-2" }]);
    database.close();
  });

  it("refuses a journal that a newer version wrote, and leaves it as it is", () => {
    journal().saveJob(job);
    const database = openSqlite(journalFile);
    database.exec("pragma user_version = 99");
    expect(journal).toThrow(expect.objectContaining({ code: "conflict.schema-newer" }));
    database.exec("pragma user_version = 1");
    database.close();
    expect(journal().openJobs()).toEqual([job]);
  });

  it.each([
    ["something else", (file: string) => writeFile(file, "not a database ".repeat(1000))],
    ["cut short", (file: string) => truncate(file, 4096 + 100)],
    [
      "full of noise",
      async (file: string) => writeFile(file, Buffer.alloc((await stat(file)).size, 0x5a)),
    ],
  ])("moves a journal that is %s aside, says so, and begins a new one", async (_, damage) => {
    const first = openJournal(journalFile, (note) => notes.push(note));
    first.saveJob(job);
    first.saveFile(file);
    first.close();
    const database = openSqlite(journalFile);
    database.pragma("wal_checkpoint(truncate)");
    database.close();
    await damage(journalFile);
    const next = journal();
    expect(next.openJobs()).toEqual([]);
    next.saveJob(job);
    expect(next.openJobs()).toEqual([job]);
    const aside = (await readdir(path.dirname(journalFile))).filter((name) =>
      name.includes("damaged"),
    );
    expect(aside).not.toEqual([]);
    expect(notes).toEqual([expect.stringContaining(aside[0] ?? "?")]);
  });

  it("keeps every one of the writes of two that have it open at once", () => {
    const a = journal();
    const b = journal();
    a.saveJob(job);
    for (let index = 0; index < 50; index += 1) {
      const key = `A/ABC_1/ABC_1-${String(index).padStart(4, "0")}`;
      (index % 2 === 0 ? a : b).saveFile({ ...file, key });
    }
    expect(journal().filesOf(job.id)).toHaveLength(50);
  });
});
