import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { calculateJwkThumbprint } from "jose";
import { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";
import {
  newPrivateJwk,
  publicJwkSchema,
  signingKey,
  type PublicJwk,
  type SigningKey,
} from "../evidence/seal.ts";
import { replaceFile } from "./atomic-file.ts";
import { takeLock, type ReleaseLock } from "./file-lock.ts";

const serverKeyType = "exhibit.server-key/1";
const serverKeySchema = z.strictObject({
  schema: z.literal(serverKeyType),
  key: publicJwkSchema.extend({ d: z.string() }),
  retired: z.array(z.strictObject({ key: publicJwkSchema, retiredAt: z.iso.datetime() })),
});

/** A server's folder, held by this process alone until `release`. */
export interface DataFolder {
  readonly path: string;
  readonly databaseFile: string;
  readonly contentDir: string;
  readonly scratchDir: string;
  readonly logFile: string;
  readonly invitationFile: string;
  readonly key: SigningKey;
  readonly retiredKeys: readonly {
    publicJwk: PublicJwk;
    thumbprint: string;
    retiredAt: string;
  }[];
  release(): Promise<void>;
}

/**
 * Opens a server's data folder, made on first use for this user alone (0700) with a new Ed25519 key (0600).
 *
 * @throws ExhibitError `conflict.locked` with the process id when another `serve` has it; `conflict.exists` when
 * the folder holds something else; `usage.invalid` when it cannot be made
 */
export async function openDataFolder(folder: string): Promise<DataFolder> {
  const root = path.resolve(folder);
  await prepare(root);
  const releaseLock = await lock(root);
  const inside = (name: string): string => path.join(root, name);
  try {
    const { key, retiredKeys } = await loadKeys(
      inside("server-key.json"),
      existsSync(inside(databaseName)),
    );
    for (const name of ["content", "scratch", "logs"]) {
      await mkdir(inside(name), { recursive: true, mode: 0o700 });
    }
    return {
      path: root,
      databaseFile: inside(databaseName),
      contentDir: inside("content"),
      scratchDir: inside("scratch"),
      logFile: path.join(root, "logs", "server.jsonl"),
      invitationFile: inside("first-admin-invitation.txt"),
      key,
      retiredKeys,
      async release() {
        await rm(pidFile(root), { force: true });
        releaseLock();
      },
    };
  } catch (error) {
    releaseLock();
    throw error;
  }
}

/** Makes the folder, and refuses one that is someone else's: its scratch folder is emptied at each start. */
async function prepare(root: string): Promise<void> {
  let names: string[];
  try {
    await mkdir(root, { recursive: true, mode: 0o700 });
    names = await readdir(root);
  } catch (cause) {
    throw new ExhibitError("usage.invalid", `The data folder ${root} cannot be used.`, {
      hint: "Name a folder that you may write to: --data DIR.",
      cause,
    });
  }
  const ours = names.includes("server-key.json") || names.includes(lockName);
  if (!ours && names.some((name) => name !== "lost+found")) {
    throw new ExhibitError(
      "conflict.exists",
      `The folder ${root} holds files that no exhibit server made.`,
      { hint: "Name an empty folder, or one that does not exist yet: --data DIR." },
    );
  }
}

const lockName = "serve.lock";
const databaseName = "exhibit.sqlite";

function pidFile(root: string): string {
  return path.join(root, "serve.pid");
}

async function lock(root: string): Promise<ReleaseLock> {
  const release = await takeLock(path.join(root, lockName), 0);
  if (release === undefined) {
    const pid = await holder(root);
    throw new ExhibitError(
      "conflict.locked",
      pid === undefined
        ? `Another server already uses the folder ${root}.`
        : `Another server (process ${pid}) already uses the folder ${root}.`,
      {
        hint: "Stop that one first, or give this one a folder of its own: --data DIR.",
        ...(pid === undefined ? {} : { facts: { pid } }),
      },
    );
  }
  await replaceFile(pidFile(root), `${process.pid}\n`);
  return release;
}

/** The process that holds the lock. It writes its id just after taking it, so this looks more than once. */
async function holder(root: string): Promise<number | undefined> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const pid = Number.parseInt(await readFile(pidFile(root), "utf8").catch(() => ""), 10);
    if (Number.isInteger(pid) && isAlive(pid)) return pid;
    await pause(30);
  }
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function loadKeys(
  file: string,
  used: boolean,
): Promise<Pick<DataFolder, "key" | "retiredKeys">> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) {
    if (used) throw damagedKey(file, "missing");
    const jwk = await newPrivateJwk();
    const document = { schema: serverKeyType, key: jwk, retired: [] };
    await replaceFile(file, `${JSON.stringify(document, null, 2)}\n`);
    return { key: await signingKey(jwk), retiredKeys: [] };
  }
  const parsed = serverKeySchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw damagedKey(file, "damaged");
  }
  const retiredKeys = await Promise.all(
    parsed.data.retired.map(async ({ key, retiredAt }) => ({
      publicJwk: key,
      thumbprint: await calculateJwkThumbprint(key),
      retiredAt,
    })),
  );
  return { key: await signingKey(parsed.data.key), retiredKeys };
}

function damagedKey(file: string, what: string): ExhibitError {
  return new ExhibitError("conflict.exists", `The server's key file ${file} is ${what}.`, {
    hint: "Put back its copy from your backup. Without it, no client will know this server again.",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
