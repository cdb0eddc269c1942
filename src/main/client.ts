import path from "node:path";
import type { Pin } from "../app/deps.ts";
import type { Client, GivenSettings, SettledSettings, Settings } from "../cli/context.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { Clock } from "../evidence/ports/clock.ts";
import type { Secrets } from "../evidence/ports/secrets.ts";
import type { OnTransferEvent } from "../evidence/progress.ts";
import { loadConfig } from "../platform/config.ts";
import { takeLock } from "../platform/file-lock.ts";
import { fileDestination } from "../platform/file-destination.ts";
import { flushTogether } from "../platform/flush-together.ts";
import { openInBrowser } from "../platform/browser.ts";
import { openJournal, type FileJournal } from "../platform/journal.ts";
import { openNetwork } from "../platform/network.ts";
import { pathsOn, type MachineFacts, type MachinePaths } from "../platform/paths.ts";
import { receiptFolder } from "../platform/receipt-folder.ts";
import { settle } from "../platform/settings.ts";
import { makeStateFolder } from "../platform/state-folder.ts";
import { StoreBook, type NamedStore } from "../platform/store-book.ts";
import { uploadQueues } from "../platform/upload-queues.ts";
import { signInAtBox } from "../stores/box/sign-in/sign-in.ts";
import { findMachineKey } from "../stores/machine-key.ts";
import { openConnection, type StoreMachine } from "../stores/registry.ts";
import { findIdentity } from "../stores/server/kept-identity.ts";
import { signInByProvider } from "../stores/server/provider/sign-in.ts";
import { enrolmentAtServers } from "../stores/server/enrolment.ts";
import { Outage } from "../transfer/outage.ts";
import { Paced } from "../transfer/paced.ts";
import { defaultPatience } from "../transfer/patience.ts";
import { readCertificates } from "./certificates.ts";
import { fetcherOn } from "./fetcher.ts";
import { chooseSecrets } from "./secrets.ts";
import { sourceOf } from "./source.ts";
import { checksKept, storeProbe } from "./store-probe.ts";
import { turnsIn } from "./turns.ts";

const clock: Clock = { now: () => new Date() };

/** Settles what was typed with the environment and the configuration file. */
export async function settleSettings(
  facts: MachineFacts,
  version: string,
  given: GivenSettings,
): Promise<SettledSettings> {
  const { config, warnings } = await loadConfig(pathsOn(facts).configFile, version);
  return { settings: settle(given, facts.env, config), warnings };
}

export function openStoreBook(facts: MachineFacts, version: string): StoreBook {
  return new StoreBook(pathsOn(facts).configFile, version);
}

/** Builds what the use cases need on this machine. The journal is opened by the first command that looks at it. */
export async function composeClient(
  facts: MachineFacts,
  version: string,
  settings: Settings,
  signal: AbortSignal,
  onEvent: OnTransferEvent,
  onNote: (note: string) => void,
): Promise<Client> {
  const paths = pathsOn(facts);
  const caPem = await readCertificates(settings.caFile);
  const { secrets } = await chooseSecrets(settings, paths);
  const network = openNetwork({
    proxyUrl: facts.env["HTTPS_PROXY"] ?? facts.env["https_proxy"],
    noProxy: facts.env["NO_PROXY"] ?? facts.env["no_proxy"],
    caPem,
    pace: new Paced(settings.bwlimit, clock),
  });
  const book = openStoreBook(facts, version);
  const machine: StoreMachine = {
    secrets,
    clock,
    network,
    toolVersion: version,
    checkOf: checksKept(paths.storeChecksFile, onNote),
    customerKey: facts.env["EXHIBIT_SSE_C_KEY"],
    inTurn: turnsIn(paths.stateDir),
    trustedKeys: async () =>
      new Set((await book.trustedKeys()).map(({ thumbprint }) => thumbprint)),
  };
  const queues = uploadQueues(paths.queuesDir);
  let journal: FileJournal | undefined;
  return {
    connect: async (store) => connect(await book.find(store), machine, paths, signal),
    locate: (store) => book.find(store),
    pins: async () => [
      ...(await pinned(await book.list(), secrets)),
      ...(await book.trustedKeys()),
    ],
    enrolment: enrolmentAtServers(machine),
    officers: signInByProvider(machine),
    signIn: signInAtBox(machine),
    source: sourceOf(machine, paths.fetchesDir, signal),
    probe: storeProbe(book, machine, paths.storeChecksFile),
    fetcher: fetcherOn(paths, { network, caPem }, { version, settings }),
    destination: fileDestination(),
    get journal() {
      return (journal ??= openJournal(paths.journalFile, onNote));
    },
    queues,
    receipts: receiptFolder(paths.receiptsDir, flushTogether()),
    clock,
    patience: { ...defaultPatience, giveUpAfterMs: settings.giveUpAfterMs },
    outage: new Outage(),
    tool: { name: "exhibit", version },
    onEvent,
    secretsPlace: secrets.place,
    givenClientSecret: facts.env["EXHIBIT_BOX_CLIENT_SECRET"],
    openPage: openInBrowser,
    watchFolder: async (folder, store) => {
      const { watchFolder } = await import("../platform/watching/watched-folder.ts");
      const { url } = await book.find(store);
      return watchFolder(folder, { file: paths.watchFile, store: url }, facts.platform);
    },
    async close() {
      queues.close();
      journal?.close();
      await network.close();
    },
  };
}

/** Folders, buckets and Box are opened one process at a time: the first one makes this machine's key, and two must not make two. */
async function connect(
  store: NamedStore,
  machine: StoreMachine,
  paths: MachinePaths,
  signal: AbortSignal,
): Promise<Connection> {
  if (!/^(?:file|s3|box):/.test(store.url)) return openConnection(store, machine, signal);
  makeStateFolder(paths.stateDir);
  const release = await takeLock(path.join(paths.stateDir, "machine-key.lock"), 10_000);
  if (release === undefined) {
    throw new ExhibitError(
      "conflict.locked",
      "Another command is opening a store on this computer.",
      {
        hint: "Let it finish, or end it if it hangs; then try again.",
      },
    );
  }
  try {
    return await openConnection(store, machine, signal);
  } finally {
    release();
  }
}

/** The keys that this machine trusts: those pinned when it enrolled, and its own. */
async function pinned(stores: readonly NamedStore[], secrets: Secrets): Promise<Pin[]> {
  const pins: Pin[] = [];
  for (const { name, url } of stores.filter((store) => !store.url.startsWith("file:"))) {
    const identity = await findIdentity(secrets, url);
    if (identity !== undefined) {
      const whose = `the store ${name}`;
      pins.push({ thumbprint: identity.serverThumbprint, whose });
      for (const { thumbprint, retiredAt: until } of identity.retiredServerKeys ?? []) {
        pins.push({ thumbprint, whose, until });
      }
    }
  }
  const own = await findMachineKey(secrets);
  return own === undefined
    ? pins
    : [...pins, { thumbprint: own.thumbprint, whose: "this machine" }];
}
