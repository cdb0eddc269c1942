import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { shareLog } from "../../src/app/share-log.ts";
import type {
  NewShare,
  ShareLog,
  ShareRequest,
  Sharing,
} from "../../src/evidence/ports/sharing.ts";
import { shareAccessSchema } from "../../src/evidence/share.ts";
import { formatAddress } from "../../src/evidence/address.ts";
import { createShare } from "../../src/app/share-create.ts";
import { revokeShare } from "../../src/app/share-revoke.ts";
import { updateShare } from "../../src/app/share-update.ts";
import type { User } from "../support/box/accounts/users.ts";
import { openBoxOffice, picture, type BoxOffice } from "../support/box-office.ts";
import { soon } from "../support/server.ts";

jest.setTimeout(60_000);

const hour = 3_600_000;
const day = 24 * hour;
const jane = { name: "Jane Smith", email: "jane.smith@cps.example" };

let office: BoxOffice;
let photo: ShareRequest["exhibits"][number];

/** Each test has a Box of its own: what one does in the future would hold up the events of the next. */
beforeEach(async () => {
  office = await openBoxOffice();
  await office.admit(office.box.users.admin);
  photo = await office.exhibit(picture, picture);
});
afterEach(async () => {
  const ours = office.box.violations.filter(
    ({ agent, side }) => side === "request" && agent.startsWith("exhibit"),
  );
  await office.close();
  expect(ours).toEqual([]);
  expect(office.box.crashes).toEqual([]);
});

function sharing(user: User): Sharing {
  const { sharing: found } = office.as(user);
  if (found === undefined) throw new Error("no sharing");
  return found;
}

function make(changes: Partial<ShareRequest> = {}): Promise<NewShare> {
  const expiresAt = new Date(office.box.clock.now().getTime() + 30 * day).toISOString();
  const wanted = {
    exhibits: [photo],
    recipient: jane,
    access: "view",
    expiresAt,
    purpose: undefined,
  } as const;
  return sharing(office.box.users.officer).create({ ...wanted, ...changes }, soon());
}

async function visit(made: NewShare): Promise<void> {
  await (await fetch(`${made.link}?password=${made.code ?? ""}`)).text();
}

function logOf(made: NewShare, by = office.box.users.admin): Promise<ShareLog> {
  return sharing(by).log(made.share.id, soon());
}

function kindsOf({ events }: ShareLog): string[] {
  return events.map(({ kind, source }) => `${kind} ${source ?? ""}`);
}

describe("the log of a share in Box", () => {
  it("is ours and Box's events in one, each once, in order, each with where it comes from", async () => {
    const made = await make();
    await visit(made);
    await sharing(office.box.users.officer).revoke(made.share.id, undefined, soon());
    const log = await logOf(made);
    for (const event of log.events) expect(shareAccessSchema.parse(event)).toEqual(event);
    expect(log.events.map(({ at }) => Date.parse(at))).toEqual(
      log.events.map(({ at }) => Date.parse(at)).sort((a, b) => a - b),
    );
    expect(kindsOf(log).sort()).toEqual([
      "copy-deleted admin_logs",
      "copy-deleted admin_logs",
      // Their folder, too.
      "copy-deleted admin_logs",
      "copy-made admin_logs",
      "copy-made admin_logs",
      "copy-marked admin_logs",
      "copy-marked admin_logs",
      "file-viewed admin_logs",
      "link-made admin_logs",
      "link-removed admin_logs",
      "share-created own",
      "share-revoked own",
    ]);
    const viewed = log.events.find(({ kind }) => kind === "file-viewed");
    expect(viewed).toMatchObject({ who: "anyone with the link", address: "127.0.0.1" });
    expect(log.events.find(({ kind }) => kind === "link-made")).toMatchObject({
      who: "officer@force.example",
    });
    expect(log.notes.join(" ")).toMatch(/late/);
  });

  it.each(["string", "number"] as const)(
    "has what admin_logs does not tell yet from the stream, untidy as it is (positions: %s)",
    async (streamPositions) => {
      Object.assign(office.box.settings, { adminLogsDelayMs: hour, streamPositions });
      const made = await make();
      await visit(made);
      const log = await logOf(made);
      expect(kindsOf(log)).toContain("file-viewed admin_logs_streaming");
      const boxes = log.events.filter(({ source }) => source !== "own");
      expect(boxes).toHaveLength(6);
      await office.box.clock.later(2 * hour, async () => {
        const later = await logOf(made);
        expect(kindsOf(later)).toContain("file-viewed admin_logs");
        expect(later.events).toHaveLength(log.events.length);
      });
      await office.box.clock.later(20 * day, async () => {
        expect((await logOf(made)).events).toHaveLength(log.events.length);
      });
    },
  );

  it("reads Box's events in pages, positions of any length kept to the last digit", async () => {
    const made = await make();
    const asked: string[] = [];
    const position = "9223372036854775807";
    office.box.faults.next({
      path: /\/events$/,
      alter: (answer) => ({
        ...answer,
        json: undefined,
        text: JSON.stringify(answer.json).replace(
          /("next_stream_position":)"?\d+"?/,
          `$1${position}`,
        ),
      }),
    });
    office.box.faults.next({
      path: /\/events$/,
      alter: (answer) => {
        asked.push(...office.box.requests.slice(-1).map(({ query }) => query));
        return {
          status: 200,
          json: { chunk_size: 0, next_stream_position: position, entries: [] },
          headers: answer.headers ?? {},
        };
      },
    });
    const log = await logOf(made);
    expect(asked[0]).toContain(`stream_position=${position}`);
    expect(kindsOf(log)).toContain("link-made admin_logs");
  });

  it.each<[string, boolean, RegExp]>([
    [
      "an officer, who may not read the enterprise's events,",
      true,
      /may not read the enterprise's events.*three weeks.*1 previews/s,
    ],
    [
      "an administrator whose application lacks the scope",
      false,
      /may not read the enterprise's events/,
    ],
  ])("says to %s what is missing, and has what Box told them", async (_, isOfficer, words) => {
    office.box.settings.enterpriseScope = isOfficer;
    const made = await make();
    await visit(made);
    const log = await logOf(made, isOfficer ? office.box.users.officer : office.box.users.admin);
    expect(kindsOf(log)).toEqual(
      expect.arrayContaining(["share-created own", "link-made user_events"]),
    );
    expect(log.notes.join(" ")).toMatch(words);
  });

  it("has only what the recipient did of originals, on which others work, and counts what they took", async () => {
    const { admin, officer, partner } = office.box.users;
    const recipient = { name: "Pat", email: partner.login };
    const made = await make({ access: "original", recipient });
    const folder = /\/folder\/(\d+)$/.exec(made.link)?.[1] ?? "";
    const items = await office.ask(partner, "GET", `/folders/${folder}/items`);
    const files = (items.body["entries"] as { id: string; name: string }[]).filter(({ name }) =>
      name.endsWith(".jpg"),
    );
    for (const [user, file] of [
      [partner, files[0]],
      [partner, files[0]],
      [officer, files[1]],
    ] as const) {
      await office.ask(user, "GET", `/files/${file?.id ?? ""}/content`).catch(() => undefined);
    }
    const log = await logOf(made);
    const taken = log.events.filter(({ kind }) => kind === "original-downloaded");
    expect(taken.map(({ who, reference }) => [who, reference])).toEqual([
      [partner.login, photo.reference],
      [partner.login, photo.reference],
    ]);
    expect(kindsOf(log)).toEqual(
      expect.arrayContaining(["invited admin_logs", "share-created own"]),
    );
    expect(await sharing(officer).revoke(made.share.id, undefined, soon())).toMatchObject({
      originalsTaken: undefined,
    });
    const theirs = await sharing(admin).create(
      {
        exhibits: [photo],
        recipient,
        access: "original",
        expiresAt: made.share.expiresAt,
        purpose: undefined,
      },
      soon(),
    );
    await office.ask(partner, "GET", `/files/${files[1]?.id ?? ""}/content`).catch(() => undefined);
    expect(await sharing(admin).revoke(theirs.share.id, undefined, soon())).toMatchObject({
      originalsTaken: expect.any(Number),
    });
  });
});

it("goes through the use cases as on any other store", async () => {
  const deps = {
    connect: () => Promise.resolve(office.as()),
    clock: office.box.clock,
  };
  const made = await createShare(
    deps,
    { exhibits: [formatAddress(photo)], recipient: jane, access: "view", expiresInSeconds: 86_400 },
    soon(),
  );
  const { share } = await updateShare(
    deps,
    { share: made.share.id, expiresInSeconds: 2 * 86_400 },
    soon(),
  );
  expect(Date.parse(share.expiresAt)).toBeGreaterThan(Date.parse(made.share.expiresAt));
  await revokeShare(deps, { share: made.share.id, exhibit: formatAddress(photo) }, soon());
  const log = await shareLog(deps, { share: made.share.id.toLowerCase() }, soon());
  expect(log).toMatchObject({ share: { state: "revoked" }, prefetches: [] });
  expect(log.events.filter(({ source }) => source === "own").map(({ kind }) => kind)).toEqual([
    "share-created",
    "share-updated",
    "share-revoked",
  ]);
});
