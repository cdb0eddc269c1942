import { expect } from "@jest/globals";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { list } from "../../src/app/list.ts";
import type { Smoked } from "../../src/app/smoke.ts";
import { verify } from "../../src/app/verify.ts";
import type { Connection } from "../../src/evidence/ports/connection.ts";
import type { ExhibitEntry } from "../../src/evidence/ports/register.ts";
import type { SmokeRoom } from "../../src/evidence/ports/smoke-room.ts";
import { makeClient, upload, uploadOf, type TestClient } from "../support/client.ts";
import { soon, startServer, type Person, type TestServer } from "../support/server.ts";

export const request = { timeoutMs: 60_000 };

/** A server with one piece of evidence, and an officer there. */
export interface SmokeRig {
  readonly server: TestServer;
  readonly officer: Person;
  readonly client: TestClient;
  /** The evidence's id and key. */
  readonly evidence: { readonly id: string; readonly key: string };
  /** What is in the database and in the content store, but for the evidence. */
  left(): Promise<Record<string, number | string[]>>;
  requireEvidence(): Promise<void>;
  begun(): Promise<ExhibitEntry>;
  stop(): Promise<void>;
}

export async function smokeRig(): Promise<SmokeRig> {
  const server = await startServer();
  const officer = await server.enrol("officer");
  const client = await makeClient(server.url, officer.machine);
  const file = await client.write("bus 42.mp4", "evidence");
  const [exhibit] = (await upload(client.deps, uploadOf([file]), soon())).exhibits;
  const evidence = { id: exhibit?.id ?? "", key: exhibit?.contents[0]?.key ?? "" };
  return {
    server,
    officer,
    client,
    evidence,
    left,
    requireEvidence,
    begun,
    async stop() {
      await client.close();
      await server.stop();
    },
  };

  /** What is in the database and in the content store, but for the evidence. */
  async function left(): Promise<Record<string, number | string[]>> {
    const { database } = server.deps;
    const counts: Record<string, number | string[]> = {};
    for (const table of [
      "exhibits",
      "custody_events",
      "stored_files",
      "uploads",
      "shares",
      "share_exhibits",
      "share_sessions",
      "share_accesses",
      "share_mails",
      "share_notes",
      "arrivals",
    ] as const) {
      const rows = (await database.selectFrom(table).selectAll().execute()) as {
        exhibit_id?: string;
        id?: string;
      }[];
      const others = rows.filter((row) => (row.exhibit_id ?? row.id) !== evidence.id);
      if (others.length > 0) counts[table] = others.length;
    }
    const folders = (await readdir(path.join(server.folder, "content"))).filter(
      (name) => name !== "01AB1234526" && name !== ".uploads",
    );
    const uploads = await readdir(path.join(server.folder, "content", ".uploads")).catch(() => []);
    if (folders.length + uploads.length > 0) counts["content"] = [...folders, ...uploads];
    return counts;
  }

  async function requireEvidence(): Promise<void> {
    const verified = await verify(client.deps, { exhibit: evidence.id, deep: true }, soon());
    expect(verified.failed).toEqual([]);
    expect(verified.files).toHaveLength(1);
  }

  async function begun(): Promise<ExhibitEntry> {
    const call = { method: "POST", path: "/v1/smoke", body: { totalBytes: 1000 } } as const;
    return (await officer.session.call(call, soon())).body as ExhibitEntry;
  }
}

export async function idsIn(deps: TestClient["deps"]): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of list(deps, {}, soon())) ids.push(id);
  return ids;
}

export function outcomes({ steps }: Smoked): Record<string, string> {
  return Object.fromEntries(steps.map(({ step, outcome }) => [step, outcome]));
}

export function roomOf(connection: Connection): SmokeRoom {
  if (connection.smoke === undefined) throw new Error("There is no room for smokes.");
  return connection.smoke;
}
