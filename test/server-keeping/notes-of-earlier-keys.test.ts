import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { JWK } from "jose";
import { Kysely } from "kysely";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { noteFacts, noteType, type Note } from "../../src/evidence/note.ts";
import { seal, signingKey, type SigningKey } from "../../src/evidence/seal.ts";
import { sqliteDialect } from "../../src/platform/sqlite.ts";
import { appendCustody } from "../../src/server/custody/custody.ts";
import type { Tables } from "../../src/server/database/tables.ts";
import { newMachine, type Machine } from "../support/cli.ts";
import { freePort } from "../support/free-port.ts";
import { jpegPhoto } from "../support/media.ts";
import { Recipient } from "../support/recipient.ts";
import { systemClock } from "../support/server.ts";
import { enrolAt, serveFolder, type FolderServer } from "../support/serving.ts";

const exhibit = "C1:ABC/1";
let root: string;
let data: string;
let port: number;
let server: FolderServer;
let officer: Machine;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "exhibit-old-notes-"));
  data = path.join(root, "data");
  port = await freePort();
  officer = await newMachine();
  server = await serveFolder(data, port);
  await enrolAt(server, officer);
}, 60_000);
afterAll(async () => {
  await server.stop();
  for (const folder of [root, officer.folder]) await rm(folder, { recursive: true });
});

async function leaveNote(text: string): Promise<void> {
  const argv = ["share", "create", exhibit, "--recipient", "-", "--expires", "1d", "--json"];
  const made = await officer.exhibit(argv, { input: "Jane Smith <jane@cps.example>" });
  const { link, code, share } = made.json() as {
    link: string;
    code: string;
    share: { exhibits: { id: string }[] };
  };
  const visitor = new Recipient(link);
  expect((await visitor.give(code)).status).toBe(303);
  const left = await visitor.post({ text }, `x/${share.exhibits[0]?.id ?? ""}/1/notes`);
  expect(left.status).toBe(303);
}

async function ownKey(): Promise<SigningKey> {
  const text = await readFile(path.join(data, "server-key.json"), "utf8");
  return signingKey((JSON.parse(text) as { key: JWK }).key);
}

async function rotate(): Promise<void> {
  await server.stop();
  const ran = await officer.exhibit(["server", "rotate-key", "--data", data]);
  expect(ran).toMatchObject({ code: 0 });
  server = await serveFolder(data, port);
}

it("are checked under the key of their time; one under a key that was retired by then is told, and fails", async () => {
  const file = path.join(root, "a.jpg");
  await writeFile(file, await jpegPhoto());
  const sent = await officer.exhibit(["upload", file, "--case", "C1", "--ref", "ABC/1"]);
  expect(sent).toMatchObject({ code: 0 });
  const first = await ownKey();
  await leaveNote("under the first key");
  await rotate();
  await leaveNote("under the second");
  await rotate();
  const log = await officer.exhibit(["log", exhibit, "--json"]);
  expect(log).toMatchObject({ code: 0 });
  const { id, notes } = log.json() as { id: string; notes: unknown };
  expect(notes).toEqual({ checked: 2, byUnknownKey: 0 });
  expect(await officer.exhibit(["log", exhibit])).toMatchObject({
    code: 0,
    err: expect.stringContaining("Notes by recipients: 2, as the server signed them."),
  });

  // Somebody has the first key still, and writes into the database.
  const at = new Date().toISOString();
  const [share, session, sha256] = ["s-forged", "v-forged", "0".repeat(64)];
  const about = { exhibit: id, share, session, at, file: 1, sha256, place: {} };
  const note: Note = { schema: noteType, ...about, text: "forged" };
  const sealed = await seal(note, noteType, first);
  const database = new Kysely<Tables>({
    dialect: sqliteDialect(path.join(data, "exhibit.sqlite")),
  });
  await database
    .transaction()
    .execute((trx) => appendCustody(trx, systemClock, id, "noted", share, noteFacts(note, sealed)));
  await database.destroy();
  const forged = await officer.exhibit(["log", exhibit, "--json"]);
  expect(forged).toMatchObject({ code: 6 });
  expect(forged.json()["notes"]).toEqual({ checked: 2, byUnknownKey: 1 });
  expect(await officer.exhibit(["log", exhibit])).toMatchObject({
    code: 6,
    out: expect.stringContaining("text=forged"),
    err: expect.stringContaining("1 note was signed with a key that was not the server's"),
  });
}, 60_000);
