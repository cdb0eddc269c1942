import { randomBytes } from "node:crypto";
import path from "node:path";
import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import { Kysely, Migrator, sql } from "kysely";
import { custodyLog } from "../../../src/app/custody-log.ts";
import { verify } from "../../../src/app/verify.ts";
import { checkSqlite, sqliteDialect } from "../../../src/platform/sqlite.ts";
import { migrate, migrations } from "../../../src/server/database/migrate.ts";
import type { ServerDeps } from "../../../src/server/deps.ts";
import type { Tables } from "../../../src/server/database/tables.ts";
import { accountsOf } from "../../../src/stores/server/accounts.ts";
import { sharingOf } from "../../../src/stores/server/sharing.ts";
import {
  breakOffUpload,
  makeClient,
  upload,
  uploadOf,
  type TestClient,
} from "../../support/client.ts";
import { coded, type CodedShare } from "../../support/coded-share.ts";
import { jpegPhoto } from "../../support/media.ts";
import { Recipient } from "../../support/recipient.ts";
import { soon, startServer, type Person } from "../../support/server.ts";

jest.setTimeout(60_000);

/** The first schema that databases in the field may have. */
const oldest = "0005-kept";
const caseRef = "01AB1234526";
const partBytes = 64 * 1024;

type Rows = Record<string, unknown>[];

/** The tables of the oldest schema, in an order in which they can be filled. */
const tables = [
  ...["invitations", "identities", "oidc_payloads", "exhibits", "custody_events", "stored_files"],
  ...["uploads", "content_parts", "shares", "share_exhibits", "share_sessions", "share_accesses"],
];

const options: { deps?: Partial<ServerDeps> } = {};
let server: Awaited<ReturnType<typeof startServer>>;
let admin: Person;
let garage: Person;
let client: TestClient;
let made: CodedShare;
let visitor: Recipient;
let unfinished: string;
let file: string;
let migrated: Kysely<Tables>;
let before: Map<string, Rows>;

/**
 * A server of today is used for a while; what its tables hold in columns of the oldest schema is put into a database of that schema, that
 * is brought up to date, and the server goes on with it.
 */
beforeAll(async () => {
  server = await startServer(options);
  [admin, garage] = [
    await server.enrol("admin"),
    await server.enrol("partner", { quotaBytes: 1e9 }),
  ];
  const revoked = await server.enrol("partner");
  await accountsOf(admin.session).revokeIdentity(revoked.identity.id, soon());
  await server.invite("officer");
  client = await makeClient(server.url, garage.machine);
  const photos = ["a.jpg", "b.jpg"].map(async (name) => client.write(name, await jpegPhoto()));
  await upload(client.deps, uploadOf(await Promise.all(photos), { case: caseRef }), soon());
  unfinished = await client.write("c.mp4", randomBytes(6 * partBytes));
  await breakOffUpload(client, uploadOf([unfinished], { case: caseRef }), 4);
  const exhibits = await server.deps.database
    .selectFrom("exhibits")
    .select(["id", "case_ref as case", "reference"])
    .where("state", "=", "sealed")
    .execute();
  const request = {
    exhibits,
    recipient: { name: "Jane Smith", email: "jane@cps.example" },
    access: "view",
    expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    purpose: undefined,
  } as const;
  made = await coded(sharingOf(admin.session).create(request, soon()));
  visitor = new Recipient(made.link);
  expect((await visitor.give(made.code)).status).toBe(303);
  expect((await visitor.get()).status).toBe(200);
  await server.deps.database
    .insertInto("content_parts")
    .values({ content_id: "c1", number: 1, etag: '"e"', size_bytes: 5, sha256: "0".repeat(64) })
    .execute();

  file = path.join(server.folder, "before.sqlite");
  migrated = new Kysely<Tables>({ dialect: sqliteDialect(file) });
  before = await filledAsOf(oldest, migrated, server.deps.database);
  await migrate(migrated);
  options.deps = { database: migrated };
  await server.restart();
});
afterAll(async () => {
  await client.close();
  await server.stop();
  await migrated.destroy();
});

async function filledAsOf(
  schema: string,
  database: Kysely<Tables>,
  full: Kysely<Tables>,
): Promise<Map<string, Rows>> {
  const provider = { getMigrations: () => Promise.resolve(migrations) };
  const { error } = await new Migrator({ db: database, provider }).migrateTo(schema);
  expect(error).toBeUndefined();
  const shape = await database.introspection.getTables();
  expect(shape.map(({ name }) => name).sort()).toEqual([...tables].sort());
  const rows = new Map<string, Rows>();
  for (const table of tables) {
    const columns = shape.find(({ name }) => name === table)?.columns.map(({ name }) => name) ?? [];
    const found = await rowsOf(full, table, columns);
    expect([table, found.length > 0]).toEqual([table, true]);
    const anyTable = database as unknown as Kysely<Record<string, Record<string, unknown>>>;
    await anyTable.insertInto(table).values(found).execute();
    rows.set(table, found);
  }
  return rows;
}

async function rowsOf(
  database: Kysely<Tables>,
  table: string,
  columns: readonly string[],
): Promise<Rows> {
  const names = sql.join(columns.map((name) => sql.id(name)));
  const found = await sql<Rows[number]>`select ${names} from ${sql.table(table)}`.execute(database);
  return found.rows;
}

it.each(tables)("every row of %s is kept as it was", async (table) => {
  const rows = before.get(table) ?? [];
  const now = await rowsOf(migrated, table, Object.keys(rows[0] ?? {}));
  const sorted = (some: Rows): string[] => some.map((row) => JSON.stringify(row)).sort();
  expect(sorted(now)).toEqual(sorted(rows));
});

it("the file is whole, its foreign keys lead somewhere, and are kept", async () => {
  checkSqlite(file);
  const stray = migrated
    .insertInto("custody_events")
    .values({ exhibit_id: "nowhere", seq: 1, verb: "noted", line: "" })
    .execute();
  await expect(stray).rejects.toThrow(/FOREIGN KEY/);
  const orphaning = migrated
    .deleteFrom("identities")
    .where("id", "=", garage.identity.id)
    .execute();
  await expect(orphaning).rejects.toThrow(/FOREIGN KEY/);
});

it("people sign in as before, and are who they were", async () => {
  for (const { session, identity } of [admin, garage]) {
    const same = { ...identity, usedBytes: expect.any(Number) };
    expect(await accountsOf(session).me(soon())).toEqual(same);
  }
  const identities = await accountsOf(admin.session).identities(soon());
  expect(
    identities.map(({ enrolledBy, revokedAt }) => [enrolledBy, revokedAt !== undefined]),
  ).toEqual([
    ["invitation", false],
    ["invitation", false],
    ["invitation", true],
  ]);
});

it("exhibits verify with their logs, each has arrived once, and an upload that was broken off goes on", async () => {
  for (const { id } of made.share.exhibits) {
    expect((await verify(client.deps, { exhibit: id, deep: true }, soon())).failed).toEqual([]);
    expect((await custodyLog(client.deps, { exhibit: id }, soon())).vouchedLines).toBeGreaterThan(
      3,
    );
  }
  const arrivals = await migrated.selectFrom("arrivals").select("exhibit_id").execute();
  expect(arrivals.map(({ exhibit_id }) => exhibit_id).sort()).toEqual(
    made.share.exhibits.map(({ id }) => id).sort(),
  );
  client.events.length = 0;
  const { failed } = await upload(client.deps, uploadOf([unfinished], { case: caseRef }), soon());
  expect(failed).toEqual([]);
  const sent = client.events.filter((event) => event.type === "part-done" && event.sent);
  expect(sent.length).toBeLessThan(6);
});

it("a share goes on: its session stands, its log is told, its code opens it", async () => {
  expect((await visitor.get("session")).status).toBe(204);
  const sharing = sharingOf(admin.session);
  expect(await sharing.show(made.share.id, soon())).toEqual(made.share);
  const { events } = await sharing.log(made.share.id, soon());
  expect(events.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(["session-started", "page"]),
  );
  expect((await new Recipient(made.link).give(made.code)).status).toBe(303);
});
