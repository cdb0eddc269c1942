import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from "@jest/globals";
import type { Kysely, KyselyPlugin } from "kysely";
import { randomId } from "../../../src/evidence/random-id.ts";
import { smtpAddress } from "../../../src/evidence/smtp-address.ts";
import { smtpMail } from "../../../src/platform/smtp.ts";
import type { Tables } from "../../../src/server/database/tables.ts";
import { Outbox } from "../../../src/server/mail/outbox.ts";
import { sharingOf } from "../../../src/stores/server/sharing.ts";
import { sealedExhibit } from "../../support/sealed-exhibit.ts";
import { soon, startServer, type TestServer } from "../../support/server.ts";
import { startMailServer, type MailServer } from "../../support/smtp.ts";

jest.setTimeout(30_000);

let server: TestServer;
let mails: MailServer;
let share: string;
let outbox: Outbox;

/** A server that sends no mail itself: the queue is the test's. */
beforeAll(async () => {
  server = await startServer();
  const officer = await server.enrol("officer");
  const bytes = Buffer.from("x");
  const file = { path: "a.bin", mediaType: "application/octet-stream", bytes };
  const made = await sharingOf(officer.session).create(
    {
      exhibits: [await sealedExhibit(server, officer, [file])],
      recipient: { name: "Jane Smith", email: "jane@cps.example" },
      access: "original",
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
      purpose: undefined,
    },
    soon(),
  );
  share = made.share.id;
});
beforeEach(async () => {
  mails = await startMailServer();
});
afterEach(async () => {
  // What hangs at a silent mail server is broken off with it.
  await mails.stop();
  await outbox.close();
  await server.deps.database.deleteFrom("share_mails").execute();
});
afterAll(() => server.stop());

function outboxOver(database: Kysely<Tables>): Outbox {
  const address = smtpAddress(`smtp://${mails.user}@127.0.0.1:${mails.port}`);
  const mail = smtpMail({
    address,
    password: mails.password,
    from: mails.user,
    caPem: mails.ca,
  });
  return new Outbox({ ...server.deps, database, mail }, () => undefined);
}

async function queue(many: number): Promise<void> {
  for (let n = 0; n < many; n += 1) {
    const to = { name: "Jane Smith", address: "jane@cps.example" };
    const words = { fromName: "X", subject: "X", text: "X", html: "X" };
    const mail = { id: randomId("m"), to, ...words };
    await server.deps.database.transaction().execute((trx) => outbox.add(trx, share, "link", mail));
  }
}

/** Waits until so many mails were begun in all. */
async function begun(many: number): Promise<void> {
  while (mails.begun < many) await mails.begins();
}

it("begins others beside mails that hang", async () => {
  outbox = outboxOver(server.deps.database);
  mails.manner = "silent";
  await queue(2);
  await begun(2);
  await queue(3);
  await begun(4);
  expect(mails.begun).toBe(4);
});

it("begins nothing more once it is closed, though it was looking just then", async () => {
  let queries = 0;
  let closing: Promise<void> | undefined;
  const found = new Promise<void>((resolve) => {
    const closesWhenFound: KyselyPlugin = {
      transformQuery: ({ node }) => {
        if (closing !== undefined) queries += 1;
        return node;
      },
      transformResult: ({ result }) => {
        if (result.rows.length > 0) {
          closing ??= outbox.close();
          resolve();
        }
        return Promise.resolve(result);
      },
    };
    outbox = outboxOver(server.deps.database.withPlugin(closesWhenFound));
  });
  await queue(1);
  await found;
  await closing;
  await nextTurn();
  expect(queries).toBe(0);
});
