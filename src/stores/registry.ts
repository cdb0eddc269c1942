import { fileURLToPath } from "node:url";
import { ExhibitError } from "../evidence/errors.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { Enforced } from "./s3/enforced.ts";
import type { BoxMachine } from "./box/sign-in/box-tokens.ts";
import type { SessionMachine } from "./server/session.ts";

/** What a store needs of this machine. */
export interface StoreMachine extends SessionMachine, BoxMachine {
  readonly toolVersion: string;
  /** What a check found out about a store, as it was kept; undefined where there was none. */
  readonly checkOf: (store: NamedStore) => Promise<Enforced | undefined>;
  /** The key for content in S3 that is encrypted with one of our own, in base64. */
  readonly customerKey: string | undefined;
}

export interface NamedStore {
  readonly name: string;
  readonly url: string;
}

type Open = (store: NamedStore, machine: StoreMachine, signal: AbortSignal) => Promise<Connection>;

/** Kinds of stores by the scheme of their URL; each is loaded when it is first opened. */
const kinds: Readonly<Record<string, Open>> = {
  "file:": openFolder,
  "http:": openServer,
  "https:": openServer,
  "s3:": openS3,
};

/**
 * Opens a configured store by its URL.
 *
 * @throws ExhibitError `usage.invalid` for a URL that is none of a store's; `auth.*`, `unavailable.store`
 */
export async function openConnection(
  store: NamedStore,
  machine: StoreMachine,
  signal: AbortSignal,
): Promise<Connection> {
  const open = URL.canParse(store.url) ? kinds[new URL(store.url).protocol] : undefined;
  if (open !== undefined) return open(store, machine, signal);
  throw new ExhibitError("usage.invalid", `"${store.url}" is not a store's address.`, {
    hint: "Write https://HOST for an exhibit server, file:///PATH for a folder, or s3://BUCKET/PREFIX?region=NAME for a bucket.",
  });
}

async function openServer(
  store: NamedStore,
  machine: StoreMachine,
  signal: AbortSignal,
): Promise<Connection> {
  const { connectServer } = await import("./server/connection.ts");
  return connectServer(store.name, store.url, machine, signal);
}

async function openFolder(
  { name, url }: NamedStore,
  { secrets, clock, network }: StoreMachine,
): Promise<Connection> {
  const [{ openDirectoryStore }, { keyedRegister }, { machineKey }, { pacedStore }] =
    await Promise.all([
      import("./directory/store.ts"),
      import("./keyed-register.ts"),
      import("./machine-key.ts"),
      import("./paced-store.ts"),
    ]);
  const store = await openDirectoryStore(folderOf(url));
  const signer = await machineKey(secrets);
  return {
    name,
    store: pacedStore(store, network.pace),
    register: keyedRegister(store, signer, clock),
    bundles: undefined,
    signer,
    clockOffsetMs: undefined,
    sharing: undefined,
    accounts: undefined,
    close: () => Promise.resolve(),
  };
}

async function openS3(
  { name, url }: NamedStore,
  { secrets, clock, network, checkOf, customerKey }: StoreMachine,
): Promise<Connection> {
  const [{ openBucket }, { s3Store }, { unchecked }, { keyedRegister }, { machineKey }] =
    await Promise.all([
      import("./s3/open-bucket.ts"),
      import("./s3/store.ts"),
      import("./s3/enforced.ts"),
      import("./keyed-register.ts"),
      import("./machine-key.ts"),
    ]);
  const bucket = openBucket(url, { clock, network, customerKey });
  const enforced = (await checkOf({ name, url })) ?? unchecked;
  const store = s3Store(bucket, enforced, clock);
  const signer = await machineKey(secrets);
  return {
    name,
    store,
    register: keyedRegister(store, signer, clock),
    bundles: undefined,
    signer,
    clockOffsetMs: undefined,
    sharing: undefined,
    accounts: undefined,
    close: () => bucket.close(),
  };
}

/** `file:///PATH`, or `file:///C:/PATH` on Windows. @throws ExhibitError `usage.invalid` for any other form */
function folderOf(url: string): string {
  try {
    const parsed = new URL(url);
    if (/^file:\/\/\//i.test(url) && parsed.search === "" && parsed.hash === "") {
      return fileURLToPath(parsed);
    }
  } catch (cause) {
    throw notAFolder(url, cause);
  }
  throw notAFolder(url, undefined);
}

function notAFolder(url: string, cause: unknown): ExhibitError {
  return new ExhibitError("usage.invalid", `"${url}" is not the address of a folder.`, {
    hint: "Write its whole path, like file:///mnt/evidence or file:///D:/evidence.",
    cause,
  });
}
