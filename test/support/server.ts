import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Kysely } from "kysely";
import { pino } from "pino";
import type { Identity, Role } from "../../src/evidence/identity.ts";
import type { Clock } from "../../src/evidence/ports/clock.ts";
import { newPrivateJwk, signingKey, type SigningKey } from "../../src/evidence/seal.ts";
import { flushTogether } from "../../src/platform/flush-together.ts";
import { openNetwork, type NetworkSettings } from "../../src/platform/network.ts";
import { sqliteDialect } from "../../src/platform/sqlite.ts";
import { makeInvitation } from "../../src/server/accounts/invitations.ts";
import { migrate } from "../../src/server/database/migrate.ts";
import type { Tables } from "../../src/server/database/tables.ts";
import type { ServerDeps, ServerSettings } from "../../src/server/deps.ts";
import { createServer, type Tls } from "../../src/server/server.ts";
import { openGroupedContent } from "../../src/stores/directory/grouped.ts";
import { directorySmokeEraser } from "../../src/stores/directory/erase-smoke.ts";
import { openDirectoryStore } from "../../src/stores/directory/store.ts";
import { accountsOf } from "../../src/stores/server/accounts.ts";
import { enrolmentAtServers } from "../../src/stores/server/enrolment.ts";
import type { StoreMachine } from "../../src/stores/registry.ts";
import { openSession, type Session } from "../../src/stores/server/session.ts";
import { freePort } from "./free-port.ts";
import { memorySecrets, type MemorySecrets } from "./memory-secrets.ts";
import { unlimited } from "./unlimited.ts";

export const systemClock: Clock = { now: () => new Date() };

/** A signal that stops whatever hangs, long before the test's own limit. */
export function soon(): AbortSignal {
  return AbortSignal.timeout(30_000);
}

/** Someone enrolled at a test server, with a machine of their own. */
export interface Person {
  readonly identity: Identity;
  readonly machine: StoreMachine & { readonly secrets: MemorySecrets };
  readonly session: Session;
}

export interface PersonOptions {
  readonly organisation?: string;
  readonly quotaBytes?: number;
}

/** A real exhibit server on a free loopback port, with SQLite and a directory store in a temporary folder. */
export interface TestServer {
  readonly url: string;
  readonly folder: string;
  /** As the running server has them; new after each `restart`. */
  readonly deps: ServerDeps;
  /** Every line that the server has logged, since the first start. */
  readonly log: readonly string[];
  invite(role: Role, options?: PersonOptions): Promise<string>;
  /** Invites and enrols someone, all the way over HTTP. */
  enrol(role: Role, options?: PersonOptions): Promise<Person>;
  /** Stops it, folder kept, and starts it again at the same address. */
  restart(): Promise<void>;
  /** Stops it and removes its folder. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly clock?: Clock;
  readonly settings?: Partial<ServerSettings>;
  /** With TLS it goes by this name, which leads nowhere except through a proxy of the test's own. */
  readonly tls?: Tls & { readonly host: string };
  /** Takes the place of parts of what the server is built from. */
  readonly deps?: Partial<ServerDeps>;
  /** Puts something between the server and what it is built from. */
  readonly wrap?: (deps: ServerDeps) => ServerDeps;
}

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-server-"));
  const port = await freePort();
  const { tls } = options;
  const url = tls === undefined ? `http://127.0.0.1:${port}` : `https://${tls.host}:${port}`;
  const key = await signingKey(await newPrivateJwk());
  const log: string[] = [];
  let running = await run({ folder, url, port, key, log }, options);

  return {
    url,
    folder,
    log,
    get deps() {
      return running.deps;
    },
    invite: (role, person) => invite(running.deps, role, person),
    enrol: async (role, person) => enrol(url, await invite(running.deps, role, person)),
    async restart() {
      await running.close();
      running = await run({ folder, url, port, key, log }, options);
    },
    async stop() {
      await running.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Enrols a new machine with an invitation's code. */
export async function enrol(
  url: string,
  code: string,
  clock = systemClock,
  network: Partial<NetworkSettings> = {},
): Promise<Person> {
  const machine = newMachine(clock, network);
  await enrolmentAtServers(machine).enrol(url, code, soon());
  const open = (): Promise<Session> => openSession(url, machine, soon());
  // The session that is handed out has asked nothing yet.
  const identity = await accountsOf(await open()).me(soon());
  return { identity, machine, session: await open() };
}

/** A machine that is enrolled nowhere yet. */
export function newMachine(
  clock = systemClock,
  network: Partial<NetworkSettings> = {},
): Person["machine"] {
  const none = { proxyUrl: undefined, noProxy: undefined, caPem: undefined, pace: unlimited };
  return {
    secrets: memorySecrets(),
    clock,
    network: openNetwork({ ...none, ...network }),
    toolVersion: "0.0.0-test",
    checkOf: () => Promise.resolve(undefined),
    customerKey: undefined,
    trustedKeys: () => Promise.resolve(new Set()),
    inTurn: (_name, work) => work(),
  };
}

interface Place {
  readonly folder: string;
  readonly url: string;
  readonly port: number;
  readonly key: SigningKey;
  readonly log: string[];
}

async function run(
  place: Place,
  options: ServerOptions,
): Promise<{ deps: ServerDeps; close(): Promise<void> }> {
  const contentFolder = path.join(place.folder, "content");
  const scratch = path.join(place.folder, "scratch");
  await mkdir(contentFolder, { recursive: true });
  await mkdir(scratch, { recursive: true });
  const database = new Kysely<Tables>({
    dialect: sqliteDialect(path.join(place.folder, "exhibit.sqlite")),
  });
  await migrate(database);
  const content = await openDirectoryStore(contentFolder);
  const deps: ServerDeps = {
    content,
    grouped: await openGroupedContent(contentFolder, content, flushTogether()),
    directParts: undefined,
    smokeEraser: directorySmokeEraser(contentFolder),
    database,
    key: place.key,
    retiredKeys: [],
    sso: undefined,
    rotations: [],
    clock: options.clock ?? systemClock,
    settings: {
      publicUrl: place.url,
      organisation: "Test Police",
      version: "0.0.0-test",
      trustProxy: [],
      expireUploadsMs: 14 * 86_400_000,
      scratch,
      ...options.settings,
    },
    ...options.deps,
  };
  const lines = { write: (line: string) => void place.log.push(line) };
  const app = await createServer(
    options.wrap?.(deps) ?? deps,
    pino({ level: "trace" }, lines),
    options.tls,
  );
  await app.listen({ host: "127.0.0.1", port: place.port });
  return {
    deps,
    async close() {
      await app.close();
      await database.destroy();
    },
  };
}

async function invite(deps: ServerDeps, role: Role, person: PersonOptions = {}): Promise<string> {
  const request = {
    role,
    organisation: person.organisation ?? "Acme Buses",
    expiresInSeconds: 3600,
    quotaBytes: person.quotaBytes,
  };
  return (await makeInvitation(deps, request, null)).code;
}
