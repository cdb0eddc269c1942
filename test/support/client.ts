import { expect } from "@jest/globals";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Deps, Failure } from "../../src/app/deps.ts";
import { resume as resumeAll, type ResumedJob } from "../../src/app/resume.ts";
import {
  upload as uploadAll,
  type UploadedExhibit,
  type UploadRequest,
  type UploadResult,
} from "../../src/app/upload.ts";
import type { Connection } from "../../src/evidence/ports/connection.ts";
import type { SkippedEntry } from "../../src/evidence/ports/source.ts";
import type { TransferEvent } from "../../src/evidence/progress.ts";
import { thumbprintOf } from "../../src/evidence/seal.ts";
import { webFetcher } from "../../src/platform/fetching/fetcher.ts";
import { fileDestination } from "../../src/platform/file-destination.ts";
import { fileSource } from "../../src/platform/file-source.ts";
import { openJournal, type FileJournal } from "../../src/platform/journal.ts";
import { flushTogether } from "../../src/platform/flush-together.ts";
import { receiptFolder } from "../../src/platform/receipt-folder.ts";
import { uploadQueues, type FolderOfQueues } from "../../src/platform/upload-queues.ts";
import { openConnection, type StoreMachine } from "../../src/stores/registry.ts";
// Loaded here, because jest cannot load several modules at once when they are first needed.
import "../../src/stores/keyed-register.ts";
import "../../src/stores/server/accounts.ts";
import "../../src/stores/server/register.ts";
import "../../src/stores/server/sharing.ts";
import "../../src/stores/server/store.ts";
import { signInAtBox } from "../../src/stores/box/sign-in/sign-in.ts";
import { signInByProvider } from "../../src/stores/server/provider/sign-in.ts";
import { enrolmentAtServers } from "../../src/stores/server/enrolment.ts";
import { Outage } from "../../src/transfer/outage.ts";
import type { NamedStore } from "../../src/platform/store-book.ts";
import { storeProbe } from "../../src/main/store-probe.ts";
import { countedSource, countedStore, type CountedSource, type CountedStore } from "./counted.ts";
import { newMachine, soon, systemClock } from "./server.ts";
import { shortPatience } from "./transfer-rig.ts";

/** One machine with everything that the use cases need, all real, its store wrapped to count and to fail. */
export interface TestClient {
  readonly deps: Deps & {
    readonly source: CountedSource;
    readonly journal: FileJournal;
    readonly queues: FolderOfQueues;
  };
  readonly folder: string;
  readonly events: TransferEvent[];
  /** The store as the last `connect` opened it. */
  readonly store: CountedStore;
  /** Called with each connection, to put something in its way. */
  onConnect: ((connection: Connection & { readonly store: CountedStore }) => void) | undefined;
  write(name: string, content: string | Uint8Array): Promise<string>;
  /** Forgets the journal, as a lost state folder would. */
  loseState(): Promise<void>;
  close(): Promise<void>;
}

/** A machine whose one store is at `url`, or in a folder of its own. */
export async function makeClient(
  url?: string,
  machine: StoreMachine = newMachine(),
): Promise<TestClient> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "exhibit-client-")));
  const storeFolder = path.join(folder, "store");
  await mkdir(storeFolder);
  const place = { name: "test", url: url ?? pathToFileURL(storeFolder).href };
  const journalFile = path.join(folder, "state", "journal.sqlite");
  const events: TransferEvent[] = [];
  const queues = uploadQueues(path.join(folder, "state", "queues"));
  let journal = openJournal(journalFile, () => undefined);
  let store: CountedStore | undefined;
  const find = (): Promise<NamedStore> => Promise.resolve({ ...place, isDefault: true });
  const client: TestClient = {
    folder,
    events,
    onConnect: undefined,
    get store() {
      if (store === undefined) throw new Error("Nothing has connected yet.");
      return store;
    },
    deps: {
      connect: async () => {
        const connection = await openConnection(place, machine, soon());
        store = countedStore(connection.store);
        const counted = { ...connection, store };
        client.onConnect?.(counted);
        return counted;
      },
      locate: (name) => Promise.resolve({ ...place, url: name ?? place.url }),
      pins: async () => {
        const { register } = await openConnection(place, machine, soon());
        return [{ thumbprint: await thumbprintOf(register.issuerKey), whose: "the store test" }];
      },
      enrolment: enrolmentAtServers(machine),
      officers: signInByProvider(machine),
      signIn: signInAtBox(machine),
      probe: storeProbe({ find }, machine, path.join(folder, "store-checks.json")),
      source: countedSource(fileSource()),
      fetcher: webFetcher({
        folder: path.join(folder, "state", "fetches"),
        hosts: [],
        routes: { ca: undefined, proxyFor: () => undefined, userAgent: "test", stallMs: 5000 },
        now: () => new Date(),
        baseMs: 1,
      }),
      destination: fileDestination(),
      get journal() {
        return journal;
      },
      queues,
      receipts: receiptFolder(path.join(folder, "receipts"), flushTogether()),
      clock: systemClock,
      patience: shortPatience,
      outage: new Outage(),
      tool: { name: "exhibit", version: "0.0.0-test" },
      onEvent: (event) => events.push(event),
    },
    async write(name, content) {
      const file = path.join(folder, "evidence", name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, content);
      return file;
    },
    async loseState() {
      queues.close();
      journal.close();
      await rm(path.dirname(journalFile), { recursive: true });
      journal = openJournal(journalFile, () => undefined);
    },
    async close() {
      queues.close();
      journal.close();
      await rm(folder, { recursive: true });
    },
  };
  return client;
}

/** Breaks an upload off when it is about to send its part number `after` + 1. */
export async function breakOffUpload(
  client: TestClient,
  request: UploadRequest,
  after: number,
): Promise<void> {
  const stop = new AbortController();
  client.onConnect = ({ store }) => {
    let parts = 0;
    store.beforePart = () => {
      parts += 1;
      if (parts > after) stop.abort(new Error("stopped by the test"));
    };
  };
  await expect(upload(client.deps, request, stop.signal)).rejects.toThrow("stopped by the test");
  client.onConnect = undefined;
}

/** An upload of `paths` as one would ask for it; parts of 64 KiB keep tests quick. */
export function uploadOf(
  paths: readonly string[],
  more: Partial<UploadRequest> = {},
): UploadRequest {
  return {
    paths,
    case: "01AB1234526",
    initials: "ABC",
    oneExhibit: false,
    requireProof: "transport",
    concurrency: 2,
    partBytes: 64 * 1024,
    ...more,
  };
}

/** What an upload did, gathered from the disk. */
export interface Uploaded {
  readonly exhibits: readonly UploadedExhibit[];
  readonly failed: readonly Failure[];
  readonly skipped: readonly SkippedEntry[];
}

function gathered({ exhibits, failed, skipped }: UploadResult): Uploaded {
  return { exhibits: [...exhibits], failed: [...failed], skipped: [...skipped] };
}

/** As the use case, its outcomes gathered and its queue closed, as at the end of a command. */
export async function upload(
  deps: TestClient["deps"],
  ...given: Parameters<typeof uploadAll> extends [unknown, ...infer Rest] ? Rest : never
): Promise<Uploaded> {
  try {
    return gathered(await uploadAll(deps, ...given));
  } finally {
    deps.queues.close();
  }
}

/** As the use case, likewise. */
export async function resume(
  deps: TestClient["deps"],
  ...given: Parameters<typeof resumeAll> extends [unknown, ...infer Rest] ? Rest : never
): Promise<{ readonly jobs: readonly (Omit<ResumedJob, "result"> & { result?: Uploaded })[] }> {
  try {
    const { jobs } = await resumeAll(deps, ...given);
    return {
      jobs: jobs.map(({ result, ...job }) => ({
        ...job,
        ...(result === undefined ? {} : { result: gathered(result) }),
      })),
    };
  } finally {
    deps.queues.close();
  }
}
