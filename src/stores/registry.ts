import { ExhibitError } from "../evidence/errors.ts";
import { folderOf } from "../evidence/folder-address.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { SmokeEraser } from "../evidence/ports/smoke-eraser.ts";
import type { Store } from "../evidence/ports/store.ts";
import type { Enforced } from "./s3/enforced.ts";
import type { BoxMachine } from "./box/sign-in/box-tokens.ts";
import type { SessionMachine } from "./server/session.ts";

/** What a store needs of this machine. */
export interface StoreMachine extends SessionMachine, BoxMachine {
  readonly toolVersion: string;
  /** What a check found out about a store, as it was kept; undefined where there was none. */
  readonly checkOf: (store: NamedStore) => Promise<Enforced | undefined>;
  /** Thumbprints of other machines' keys whose signatures count here. */
  readonly trustedKeys: () => Promise<ReadonlySet<string>>;
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
  "box:": openBoxFolder,
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
    hint: "Write https://HOST for an exhibit server, file:///PATH for a folder, s3://BUCKET/PREFIX?region=NAME for a bucket, or box:FOLDER_ID for Box.",
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

async function openFolder({ name, url }: NamedStore, machine: StoreMachine): Promise<Connection> {
  const [{ openDirectoryStore }, { pacedStore }] = await Promise.all([
    import("./directory/store.ts"),
    import("./paced-store.ts"),
  ]);
  const folder = folderOf(url);
  const store = await openDirectoryStore(folder);
  const connection = await keyedConnection(name, pacedStore(store, machine.network.pace), machine);
  const { directorySmokeEraser } = await import("./directory/erase-smoke.ts");
  return withSmoke(connection, directorySmokeEraser(folder), machine);
}

async function openS3({ name, url }: NamedStore, machine: StoreMachine): Promise<Connection> {
  const [{ openBucket }, { s3Store }, { unchecked }] = await Promise.all([
    import("./s3/open-bucket.ts"),
    import("./s3/store.ts"),
    import("./s3/enforced.ts"),
  ]);
  const { clock, network, customerKey } = machine;
  const bucket = openBucket(url, { clock, network, customerKey });
  const enforced = (await machine.checkOf({ name, url })) ?? unchecked;
  const keyed = await keyedConnection(name, s3Store(bucket, enforced, clock), machine);
  const { s3SmokeEraser } = await import("./s3/erase-smoke.ts");
  const connection = await withSmoke(keyed, s3SmokeEraser(bucket, enforced), machine);
  return { ...connection, close: () => bucket.close() };
}

async function openBoxFolder(place: NamedStore, machine: StoreMachine): Promise<Connection> {
  const [{ openBox }, { boxTokens }, { Files }, { boxStore }, { Account }] = await Promise.all([
    import("./box/open-box.ts"),
    import("./box/sign-in/box-tokens.ts"),
    import("./box/files.ts"),
    import("./box/store.ts"),
    import("./box/enterprise/account.ts"),
  ]);
  const [{ boxSharing }, { boxRequests }, { boxDoctor }] = await Promise.all([
    import("./box/sharing/sharing.ts"),
    import("./box/file-requests.ts"),
    import("./box/enterprise/doctor.ts"),
  ]);
  const files = new Files(openBox(place.url, machine, boxTokens(place, machine)));
  const connection = await keyedConnection(place.name, boxStore(files, machine.clock), machine);
  const { register } = connection;
  const desk = { files, register, clock: machine.clock, account: new Account(files.api) };
  return {
    ...connection,
    sharing: boxSharing(desk),
    requests: boxRequests(desk),
    doctor: boxDoctor({ api: files.api, account: desk.account }),
  };
}

/** A store without a server: its register is kept in itself, and signed with this machine's key. */
async function keyedConnection(
  name: string,
  store: Store,
  { secrets, clock, trustedKeys }: StoreMachine,
): Promise<Connection> {
  const [{ keyedRegister }, { machineKey }] = await Promise.all([
    import("./keyed-register.ts"),
    import("./machine-key.ts"),
  ]);
  const signer = await machineKey(secrets);
  return {
    name,
    store,
    register: keyedRegister(store, { signer, trusted: await trustedKeys() }, clock),
    bundles: undefined,
    signer,
    clockOffsetMs: undefined,
    sharing: undefined,
    accounts: undefined,
    close: () => Promise.resolve(),
  };
}

async function withSmoke(
  connection: Connection,
  eraser: SmokeEraser,
  { clock }: StoreMachine,
): Promise<Connection> {
  const { keyedSmokeRoom } = await import("./keyed-smoke.ts");
  const { store, register, signer } = connection;
  const smoke = keyedSmokeRoom({ store, register, eraser, thumbprint: signer.thumbprint, clock });
  return { ...connection, smoke };
}
