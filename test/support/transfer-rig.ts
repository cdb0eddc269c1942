import { expect } from "@jest/globals";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import type { SourceEntry } from "../../src/evidence/ports/source.ts";
import type { TransferEvent } from "../../src/evidence/progress.ts";
import type { Proof } from "../../src/evidence/proof.ts";
import { fileSource } from "../../src/platform/file-source.ts";
import { openJournal, type FileJournal } from "../../src/platform/journal.ts";
import { openDirectoryStore } from "../../src/stores/directory/store.ts";
import type { Transferred } from "../../src/transfer/file-transfer.ts";
import { openLine } from "../../src/transfer/line.ts";
import { Outage } from "../../src/transfer/outage.ts";
import type { Patience } from "../../src/transfer/patience.ts";
import { transferFile } from "../../src/transfer/transfer-file.ts";
import { countedSource, countedStore, type CountedSource, type CountedStore } from "./counted.ts";

/** Gives up within a second, so that a test of giving up is quick. */
export const shortPatience: Patience = { tries: 4, giveUpAfterMs: 2000, baseMs: 4, capMs: 20 };

/** A folder with evidence, a directory store and a journal: all real, in a temporary folder. */
export interface TransferRig {
  readonly folder: string;
  readonly storeFolder: string;
  readonly source: CountedSource;
  readonly store: CountedStore;
  readonly journal: FileJournal;
  readonly events: TransferEvent[];
  /** Writes evidence of random bytes (or the given ones) and gives its path. */
  write(name: string, content: number | Uint8Array): Promise<string>;
  /** Opens store and journal anew, as another process would; `without` its journal, as after a lost state folder. */
  reopen(without?: "journal"): Promise<void>;
  close(): Promise<void>;
}

export async function makeRig(): Promise<TransferRig> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "exhibit-rig-")));
  const storeFolder = path.join(folder, "store");
  const evidence = path.join(folder, "evidence");
  await mkdir(storeFolder);
  await mkdir(evidence);
  const journalFile = path.join(folder, "state", "journal.sqlite");
  const openAll = async (): Promise<Pick<TransferRig, "store" | "journal" | "source">> => ({
    store: countedStore(await openDirectoryStore(storeFolder)),
    journal: openJournal(journalFile, () => undefined),
    source: countedSource(fileSource()),
  });
  let parts = await openAll();
  return {
    folder,
    storeFolder,
    events: [],
    get source() {
      return parts.source;
    },
    get store() {
      return parts.store;
    },
    get journal() {
      return parts.journal;
    },
    async write(name, content) {
      const file = path.join(evidence, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, typeof content === "number" ? randomBytes(content) : content);
      return file;
    },
    async reopen(without) {
      parts.journal.close();
      if (without === "journal") await rm(path.dirname(journalFile), { recursive: true });
      parts = await openAll();
    },
    async close() {
      parts.journal.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** The one file at `location`, as a use case would list it. */
export async function entryAt(source: CountedSource, location: string): Promise<SourceEntry> {
  const watcher = { skipped: () => undefined, unlisted: () => undefined };
  for await (const entry of source.list(location, watcher)) return entry;
  throw new Error(`Nothing at ${location}`);
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export const partBytes = 64 * 1024;
export const key = "A/ABC_1/ABC_1-0001.mp4";

export interface CarryOptions {
  readonly patience?: Patience;
  readonly signal?: AbortSignal;
  readonly partBytes?: number;
  readonly concurrency?: number;
  readonly requireProof?: Proof;
}

/** Carries the file at `location` as an upload of one file would. */
export async function carry(
  rig: TransferRig,
  location: string,
  options: CarryOptions = {},
): Promise<Transferred> {
  const { source, store, journal, events } = rig;
  journal.saveJob({ id: "job", store: "test", request: {}, startedAt: "2026-01-01" });
  const entry = await entryAt(source, location);
  return transferFile(
    {
      source,
      entry,
      store,
      key,
      journal,
      jobId: "job",
      exhibitId: "x",
      requireProof: options.requireProof ?? "transport",
      line: openLine({
        concurrency: options.concurrency ?? 3,
        partBytes: options.partBytes ?? partBytes,
      }),
      patience: options.patience ?? shortPatience,
      outage: new Outage(),
      onEvent: (event) => events.push(event),
    },
    options.signal ?? new AbortController().signal,
  );
}

export async function stored(rig: TransferRig): Promise<Buffer> {
  return buffer(await rig.store.open(key, undefined, new AbortController().signal));
}

/** Breaks a run off when part number `after` is about to be sent, as Ctrl-C or a dying network would. */
export async function breakOff(
  rig: TransferRig,
  location: string,
  after: number,
  options: CarryOptions = {},
): Promise<void> {
  const stop = new AbortController();
  let parts = 0;
  rig.store.beforePart = () => {
    parts += 1;
    if (parts > after) stop.abort(new Error("stopped by the test"));
  };
  await expect(carry(rig, location, { ...options, signal: stop.signal })).rejects.toThrow(
    "stopped by the test",
  );
  rig.store.beforePart = undefined;
}
