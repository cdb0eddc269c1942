import { setTimeout as delay } from "node:timers/promises";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import { noteStored } from "../content/stored-files.ts";
import type { StoredFileRow, UploadRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import { inContent } from "./upload-rows.ts";

/** As many files as are read back at once; more only makes a disk seek. */
const atOnce = 4;

interface Job {
  readonly result: Promise<StoredFileRow>;
  readonly progress: StillProving;
  hasFailed: boolean;
}

/** A proof that is still going on. */
export interface StillProving {
  readonly provedBytes: number;
}

/**
 * Proves finished uploads, each in a job that outlives the request which asked for it: what is asked for stands in the
 * database, so that a restarted server goes on by itself. A job's failure is kept until someone asks or
 * sends more.
 */
export class ProvingJobs {
  readonly #deps: Pick<ServerDeps, "database" | "content" | "clock">;
  readonly #jobs = new Map<string, Job>();
  readonly #stop = new AbortController();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(deps: Pick<ServerDeps, "database" | "content" | "clock">) {
    this.#deps = deps;
  }

  /** Takes up all proofs that a server before this one had begun. */
  async resume(): Promise<void> {
    const rows = await this.#deps.database
      .selectFrom("uploads")
      .selectAll()
      .where("state", "=", "proving")
      .execute();
    for (const row of rows) this.#start(row, row.sha256 ?? "");
  }

  /**
   * Asks for the proof of an upload against `sha256` and waits for it, for `patienceMs` at most.
   *
   * @throws ExhibitError `integrity.mismatch` (the upload goes back to receiving), `conflict.*`, `not-found.upload`
   */
  async ask(
    row: UploadRow,
    sha256: string,
    patienceMs: number,
  ): Promise<StoredFileRow | StillProving> {
    if (row.state === "proving" && row.sha256 !== sha256) throw otherDigest();
    const job = this.#jobs.get(row.id) ?? (await this.#begin(row, sha256));
    const waited = new AbortController();
    try {
      const outcome = await Promise.race([
        job.result,
        delay(patienceMs, undefined, { signal: waited.signal }),
      ]);
      if (outcome === undefined) return { ...job.progress };
      this.#jobs.delete(row.id);
      return outcome;
    } catch (error) {
      this.#jobs.delete(row.id);
      throw error;
    } finally {
      waited.abort();
    }
  }

  /** Forgets what is known of an upload that is gone. */
  forget(id: string): void {
    this.#jobs.delete(id);
  }

  /** Forgets a failure that nobody has asked about: more of the upload has arrived, and it is to be proved anew. */
  forgetFailure(id: string): void {
    if (this.#jobs.get(id)?.hasFailed === true) this.#jobs.delete(id);
  }

  /** Stops reading and waits until all jobs have stopped. They are taken up again after a restart. */
  async park(): Promise<void> {
    this.#stop.abort(
      new ExhibitError("unavailable.busy", "The server is stopping.", {
        hint: "Try again in a moment; the proof goes on by itself.",
      }),
    );
    await Promise.allSettled([...this.#jobs.values()].map((job) => job.result));
  }

  async #begin(row: UploadRow, sha256: string): Promise<Job> {
    await this.#deps.database
      .updateTable("uploads")
      .set({ state: "proving", sha256 })
      .where("id", "=", row.id)
      .where("state", "!=", "done")
      .execute();
    return this.#jobs.get(row.id) ?? this.#start(row, sha256);
  }

  #start(row: UploadRow, sha256: string): Job {
    const progress = { provedBytes: 0 };
    const result = this.#inTurn(() =>
      this.#prove(row, sha256, (bytes) => {
        progress.provedBytes = bytes;
      }),
    );
    const job: Job = { result, progress, hasFailed: false };
    // A failure is answered to whoever asks next; nobody may be asking now.
    job.result.catch(() => {
      job.hasFailed = true;
    });
    this.#jobs.set(row.id, job);
    return job;
  }

  async #prove(
    row: UploadRow,
    sha256: string,
    onProved: (bytes: number) => void,
  ): Promise<StoredFileRow> {
    const { database, content } = this.#deps;
    try {
      const { signal } = this.#stop;
      const stored = await content.complete(inContent(row), { sha256 }, signal, onProved);
      return await database.transaction().execute(async (trx) => {
        const noted = await noteStored(trx, this.#deps, stored, {
          exhibitId: row.exhibit_id,
          owner: row.owner,
        });
        await trx.updateTable("uploads").set({ state: "done" }).where("id", "=", row.id).execute();
        return noted;
      });
    } catch (error) {
      if (!this.#stop.signal.aborted) await this.#reopen(row, error);
      throw error;
    }
  }

  async #reopen(row: UploadRow, error: unknown): Promise<void> {
    const { database } = this.#deps;
    if (hasCode(error, "not-found.upload")) {
      await database.deleteFrom("uploads").where("id", "=", row.id).execute();
    } else {
      await database
        .updateTable("uploads")
        .set({ state: "receiving", sha256: null })
        .where("id", "=", row.id)
        .execute();
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= atOnce) {
      await new Promise<void>((go) => {
        this.#waiting.push(go);
      });
    } else {
      this.#running += 1;
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

function otherDigest(): ExhibitError {
  return new ExhibitError(
    "integrity.mismatch",
    "This upload is being proved against another digest already.",
    { hint: "Wait for that, then run the same upload command again." },
  );
}
