import type { RequestListener } from "node:http";
import { MovingClock } from "../moving-clock.ts";
import { configFile, newApplication, type Application } from "./accounts/application.ts";
import type { Person, User } from "./accounts/users.ts";
import type { BoxEvent } from "./audit/events.ts";
import { boxCertificates } from "./certificates.ts";
import type { Host, LoggedRequest } from "./http/call.ts";
import { Faults } from "./http/faults.ts";
import { Front } from "./http/serve.ts";
import { currentVersion, type Folder, type Item } from "./items/items.ts";
import { listen, type Listener } from "./listeners.ts";
import { Conformity } from "./openapi/conformity.ts";
import { routes } from "./routes.ts";
import { usualSettings, type BoxSettings } from "./settings.ts";
import { enterpriseId, World } from "./world.ts";

/** A Box of one's own, on ports of the loopback host, gone when it is closed. */
export interface Box {
  readonly apiUrl: string;
  /** Without `/api`, which Box has there before `/2.0`. */
  readonly uploadUrl: string;
  readonly sessionUrl: string;
  readonly downloadUrl: string;
  /** Origin of the page `/api/oauth2/authorize` and of shared links. */
  readonly authorizeUrl: string;
  /** Ports by origin, for a proxy that leads Box's names here. */
  readonly ports: Readonly<Record<Host, number>>;
  /** The authority that vouches for it, where it speaks TLS. */
  readonly caPem: string | undefined;
  readonly app: Application;
  readonly enterpriseId: string;
  readonly users: World["people"] & { readonly service: User };
  readonly clock: MovingClock;
  readonly faults: Faults;
  readonly settings: BoxSettings;
  /** All requests so far, also those that were cut. */
  readonly requests: LoggedRequest[];
  readonly events: readonly BoxEvent[];
  /** Where requests and answers did not fit Box's document. */
  readonly violations: Violation[];
  /** Errors of the simulator's own. */
  readonly crashes: readonly unknown[];
  /** Those, and answers of it that did not fit the document: there should be none. */
  readonly unsound: readonly unknown[];
  /** What clients of ours asked that did not fit the document: there should be none. */
  readonly ourViolations: readonly Violation[];
  readonly world: World;
  addUser(person: Person): User;
  /** An access token for a user, as the developer console hands them out. */
  developerToken(user: User): string;
  /** Makes folders below a user's root, as far as they are not there, and gives the id of the last. */
  folder(user: User, path: string): string;
  /** What a user's root holds: `case/file.mp4` to what is there. */
  tree(user?: User): ReadonlyMap<string, TreeEntry>;
  /** The bytes of a file. */
  content(fileId: string): Buffer;
  /** A file request as somebody made it in the browser, for others to be copied from; gives its id. */
  fileRequest(user: User, folderId: string): string;
  /** The file that the console offers for sign-in by JWT. */
  jwtConfig(): Record<string, unknown>;
  close(): Promise<void>;
}

export interface TreeEntry {
  readonly kind: Item["kind"];
  readonly id: string;
  readonly size: number;
  /** In hex; empty of a folder. */
  readonly sha1: string;
}

/** Something that Box's document does not have so. */
export interface Violation {
  readonly side: "request" | "response";
  /** The client's `User-Agent`; ours begins with `exhibit`. */
  readonly agent: string;
  readonly operation: string;
  readonly what: string;
}

export interface BoxStart {
  readonly tls?: boolean;
  readonly clock?: MovingClock;
  readonly settings?: Partial<BoxSettings>;
}

const hosts = ["api", "upload", "session", "download", "account"] as const;

/** Starts a simulated Box with an enterprise, an administrator, an officer, a partner and an application. */
export async function startBox(start: BoxStart = {}): Promise<Box> {
  const tls = start.tls ?? false;
  const clock = start.clock ?? new MovingClock();
  const settings = { ...usualSettings(), ...start.settings };
  const conformity = new Conformity();
  const faults = new Faults();
  const front: { is?: Front } = {};
  const listeners = {} as Record<Host, Listener>;
  for (const host of hosts) {
    const answer: RequestListener = (from, to) => void front.is?.serve(host, from, to);
    listeners[host] = await listen(tls, answer);
  }
  const each = <T>(value: (listener: Listener) => T) =>
    Object.fromEntries(hosts.map((host) => [host, value(listeners[host])])) as Record<Host, T>;
  const origins = each(({ origin }) => origin);
  const app = newApplication(enterpriseId);
  const world = new World(settings, clock, app, origins);
  const made = new Front(world, routes(world), faults, (call, answer) => {
    if (settings.validate) conformity.inspect(call, answer);
  });
  front.is = made;
  return {
    apiUrl: origins.api,
    uploadUrl: origins.upload,
    sessionUrl: origins.session,
    downloadUrl: origins.download,
    authorizeUrl: origins.account,
    ports: each(({ port }) => port),
    caPem: tls ? boxCertificates().ca : undefined,
    app,
    enterpriseId,
    users: { ...world.people, service: world.service },
    clock,
    faults,
    settings,
    requests: made.requests,
    events: world.events.all,
    violations: conformity.violations,
    crashes: made.crashes,
    get unsound() {
      const wrong = conformity.violations.filter(({ side }) => side === "response");
      return [...made.crashes, ...wrong];
    },
    get ourViolations() {
      return conformity.violations.filter(
        ({ side, agent }) => side === "request" && agent.startsWith("exhibit"),
      );
    },
    world,
    addUser: (person) => world.addUser(person),
    developerToken: (user) => world.tokens.issue(user).text,
    folder: (user, path) => madeFolders(world, user, path).id,
    tree: (user = world.people.officer) => new Map(entriesOf(user.root, "")),
    content: (id) => contentOf(world, id),
    fileRequest: (user, folderId) => madeFileRequest(world, user, folderId),
    jwtConfig: () => configFile(app),
    async close() {
      await Promise.all(Object.values(listeners).map((one) => one.close()));
    },
  };
}

function madeFolders(world: World, user: User, path: string): Folder {
  let at = user.root;
  for (const name of path.split("/")) {
    const there = at.children.get(name.toLowerCase());
    if (there?.kind === "file") throw new Error(`${name} is a file.`);
    at = there ?? world.tree.addFolder(at, { name, by: user, now: world.now() });
  }
  return at;
}

function* entriesOf(folder: Folder, above: string): Generator<[string, TreeEntry]> {
  for (const item of folder.children.values()) {
    const path = `${above}${item.name}`;
    const { kind, id } = item;
    if (item.kind === "folder") {
      yield [path, { kind, id, size: 0, sha1: "" }];
      yield* entriesOf(item, `${path}/`);
    } else {
      const { size, sha1 } = currentVersion(item).content;
      yield [path, { kind, id, size, sha1 }];
    }
  }
}

function contentOf(world: World, id: string): Buffer {
  const file = world.tree.files.get(id);
  if (file === undefined) throw new Error(`There is no file ${id}.`);
  return Buffer.concat(currentVersion(file).content.buffers);
}

function madeFileRequest(world: World, user: User, folderId: string): string {
  const folder = world.folder(user, folderId);
  if (folder === undefined) throw new Error(`There is no folder ${folderId}.`);
  return world.fileRequests.make(world.tree.nextId(), folder, user, world.now()).id;
}
