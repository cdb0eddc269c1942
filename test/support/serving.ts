import { readFile } from "node:fs/promises";
import path from "node:path";
import type { RebuildRequest, ServeRequest, Serving } from "../../src/cli/context.ts";
import { composeServer } from "../../src/main/server.ts";
import type { Machine } from "./cli.ts";

/** A server of this process over a data folder, composed as `exhibit serve` composes it. */
export interface FolderServer {
  readonly serving: Serving;
  stop(): Promise<void>;
}

/** Serves a data folder on a port of loopback; clients know it by that address. */
export async function serveFolder(
  dataDir: string,
  port: number,
  more: Partial<ServeRequest> = {},
): Promise<FolderServer> {
  const stopping = new AbortController();
  const request: ServeRequest = {
    dataDir,
    store: undefined,
    partsThroughServer: false,
    host: "127.0.0.1",
    port,
    tls: undefined,
    publicUrl: undefined,
    trustProxy: [],
    provider: undefined,
    caFile: undefined,
    organisation: "Example Police",
    expireUploadsSeconds: 86_400,
    smtp: undefined,
    newAdminInvitation: false,
    invitation: { file: undefined },
    logToStderr: false,
    rebuildIndex: undefined,
    metrics: undefined,
    ...more,
  };
  const facts = { platform: process.platform, home: path.dirname(dataDir), env: {} };
  const serving = await composeServer(facts, "0.1.0", request, stopping.signal);
  return {
    serving,
    async stop() {
      stopping.abort();
      await serving.finished;
    },
  };
}

/** Enrols a machine with the admin's invitation that the server left in its folder, or with a code. */
export async function enrolAt(
  { serving }: FolderServer,
  machine: Machine,
  code?: string,
): Promise<void> {
  const file = path.join(serving.dataDir, "first-admin-invitation.txt");
  const input = code ?? (await readFile(file, "utf8"));
  const ran = await machine.exhibit(["login", serving.publicUrl, "--invite-stdin"], { input });
  if (ran.code !== 0) throw new Error(ran.err);
}

/** A request to find exhibits again, and what it tells. */
export function rebuilding(formerKeys: readonly string[] = []): RebuildRequest & {
  readonly leftOut: readonly string[];
} {
  const leftOut: string[] = [];
  return {
    formerKeys,
    leftOut,
    onNotIndexed: ({ reference, error }) => leftOut.push(`${reference} ${error.code}`),
    onProgress: () => undefined,
  };
}
