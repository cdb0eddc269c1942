import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import sharp from "sharp";
import { checkCustody } from "../../../src/evidence/custody.ts";
import { ExhibitError, type ErrorCode } from "../../../src/evidence/errors.ts";
import type { ShareRequest } from "../../../src/evidence/ports/sharing.ts";
import { custodyLines } from "../../../src/server/custody/custody.ts";
import { sharesPath } from "../../../src/protocol/shares.ts";
import { sharingOf } from "../../../src/stores/server/sharing.ts";
import { coded, type CodedShare } from "../../support/coded-share.ts";
import { Recipient } from "../../support/recipient.ts";
import { sealedExhibit, type Material } from "../../support/sealed-exhibit.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(120_000);

const day = 86_400_000;
const text: Material = { path: "notes.xyz", mediaType: "text/plain", bytes: Buffer.from("notes") };

function inDays(days: number): string {
  return new Date(Date.now() + days * day).toISOString();
}

type Shared = ShareRequest["exhibits"][number];

function named(id: string): Shared {
  return { id, case: "01AB1234526", reference: "ABC/1" };
}

async function picture(): Promise<Material> {
  const create = { width: 640, height: 360, channels: 3, background: "#88aacc" } as const;
  const bytes = await sharp({ create }).jpeg().toBuffer();
  return { path: "DCIM/IMG 1.jpg", mediaType: "image/jpeg", bytes };
}

describe("an officer's shares", () => {
  let server: TestServer;
  let officer: Person;
  let other: Person;
  let admin: Person;
  let partner: Person;
  let exhibit: Shared;
  let photo: Shared;

  beforeAll(async () => {
    server = await startServer();
    officer = await server.enrol("officer", { organisation: "Avonshire Police" });
    other = await server.enrol("officer");
    admin = await server.enrol("admin");
    partner = await server.enrol("partner");
    exhibit = await sealedExhibit(server, partner, [text]);
    photo = await sealedExhibit(server, partner, [await picture()]);
  });
  afterAll(() => server.stop());

  function wanted(changes: Partial<ShareRequest> = {}): ShareRequest {
    return {
      exhibits: [exhibit],
      recipient: { name: "Jane Smith", email: "jane.smith@cps.example" },
      access: "original",
      expiresAt: inDays(7),
      purpose: "Charging decision",
      ...changes,
    };
  }

  function share(changes?: Partial<ShareRequest>, by = officer): Promise<CodedShare> {
    return coded(sharingOf(by.session).create(wanted(changes), soon()));
  }

  function custodyOf(id: string) {
    return custodyLines(server.deps.database, id).then((lines) => checkCustody(lines).events);
  }

  it("are made with a link and a code that are shown once and kept only as digests", async () => {
    const made = await share({ exhibits: [photo, exhibit] });
    expect(made.link).toMatch(new RegExp(`^${server.url}/s/[A-Za-z0-9_-]{32}$`));
    expect(made.share).toMatchObject({
      recipient: { name: "Jane Smith", email: "jane.smith@cps.example" },
      purpose: "Charging decision",
      access: "original",
      state: "open",
      exhibits: [{ id: photo.id }, { id: exhibit.id, case: "01AB1234526" }],
    });
    expect(made.warnings.join(" ")).toMatch(/loopback.*cannot be recalled/s);
    expect(await sharingOf(officer.session).show(made.share.id, soon())).toEqual(made.share);

    const rows = await server.deps.database.selectFrom("shares").selectAll().execute();
    const token = made.link.split("/").at(-1) ?? "";
    for (const secret of [token, made.code, made.code.replace("-", "")]) {
      expect(JSON.stringify(rows)).not.toContain(secret);
      expect(server.log.join("")).not.toContain(secret);
    }
  });

  it("write custody events that name the recipient by the share's id only", async () => {
    const fresh = await sealedExhibit(server, partner, [text]);
    const made = await share({ exhibits: [fresh] });
    const recipient = new Recipient(made.link);
    for (let session = 0; session < 2; session += 1) {
      await recipient.give(made.code);
      await recipient.get(`x/${fresh.id}/1/original`);
      await recipient.get(`x/${fresh.id}/1/original`);
    }
    await sharingOf(officer.session).revoke(made.share.id, undefined, soon());
    const events = await custodyOf(fresh.id);
    expect(events.map(({ verb, actor }) => [verb, actor])).toEqual([
      ["sealed", partner.identity.id],
      ["share-created", officer.identity.id],
      ["disclosed", made.share.id],
      ["consulted", made.share.id],
      ["consulted", made.share.id],
      ["share-revoked", officer.identity.id],
    ]);
    expect(JSON.stringify(events)).not.toMatch(/Smith|cps\.example|Charging/);
  });

  const refusals: [string, Partial<ShareRequest>, ErrorCode][] = [
    ["no exhibit", { exhibits: [] }, "usage.invalid"],
    ["what is not an id", { exhibits: [named("ABC/1")] }, "usage.invalid"],
    ["an unknown exhibit", { exhibits: [named(`x${"0".repeat(26)}`)] }, "not-found.exhibit"],
    ["a past end", { expiresAt: inDays(-1) }, "usage.invalid"],
    ["an end after 91 days", { expiresAt: inDays(91) }, "usage.invalid"],
    ["no end", { expiresAt: "" }, "usage.invalid"],
    ["another kind of access", { access: "edit" as "view" }, "usage.invalid"],
    ["no name", { recipient: { name: " ", email: "a@b.example" } }, "usage.invalid"],
    [
      "a name that turns direction",
      { recipient: { name: "J\u202eS", email: "a@b.example" } },
      "usage.invalid",
    ],
    [
      "a name of two lines",
      { recipient: { name: "J\nBcc: x", email: "a@b.example" } },
      "usage.invalid",
    ],
    [
      "a name of 121 characters",
      { recipient: { name: "J".repeat(121), email: "a@b.example" } },
      "usage.invalid",
    ],
    ["what is not an address", { recipient: { name: "J", email: "jane" } }, "usage.invalid"],
    ["a purpose of 501 characters", { purpose: "p".repeat(501) }, "usage.invalid"],
  ];
  it.each(refusals)("refuse %s", async (_, changes, code) => {
    await expect(share(changes)).rejects.toMatchObject({ code });
  });

  it("refuse to show what cannot be marked, and say which file and what to do", async () => {
    const mixed = await sealedExhibit(server, partner, [await picture(), text]);
    const failure = await share({ exhibits: [photo, mixed], access: "view" }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(ExhibitError);
    expect(failure).toMatchObject({
      code: "policy.type-not-markable",
      facts: { reference: mixed.reference, file: 2 },
    });
    expect((failure as ExhibitError).message).toContain(`File 2 of 01AB1234526:${mixed.reference}`);
    expect((failure as ExhibitError).hint).toContain("--access original");
  });

  it("refuse an exhibit that is still being uploaded", async () => {
    const open = await sealedExhibit(server, partner, [text]);
    await server.deps.database
      .updateTable("exhibits")
      .set({ state: "open" })
      .where("id", "=", open.id)
      .execute();
    await expect(share({ exhibits: [open] })).rejects.toMatchObject({
      code: "not-found.exhibit",
    });
  });

  it("are seen by their officer and by admins, by no other officer, and not by partners", async () => {
    const { share: made } = await share();
    const ids = async (person: Person): Promise<string[]> =>
      (await sharingOf(person.session).list(soon())).map(({ id }) => id);
    expect(await ids(officer)).toContain(made.id);
    expect(await ids(admin)).toContain(made.id);
    expect(await ids(other)).not.toContain(made.id);
    expect((await sharingOf(admin.session).show(made.id.toLowerCase(), soon())).id).toBe(made.id);

    const uses: ((person: Person) => Promise<unknown>)[] = [
      ({ session }) => sharingOf(session).show(made.id, soon()),
      ({ session }) => sharingOf(session).log(made.id, soon()),
      ({ session }) => sharingOf(session).revoke(made.id, undefined, soon()),
    ];
    for (const use of uses) {
      await expect(use(other)).rejects.toMatchObject({ code: "not-found.share" });
      await expect(use(partner)).rejects.toMatchObject({ code: "policy.role" });
    }
    await expect(ids(partner)).rejects.toMatchObject({ code: "policy.role" });
    await expect(share({}, partner)).rejects.toMatchObject({ code: "policy.role" });
    expect((await sharingOf(officer.session).show(made.id, soon())).state).toBe("open");
  });

  it("are revoked once, and again without harm; what is unknown is not found", async () => {
    const made = await share();
    const recipient = new Recipient(made.link);
    await recipient.give(made.code);
    await recipient.get(`x/${exhibit.id}/1/original`);
    const sharing = sharingOf(officer.session);
    const first = await sharing.revoke(made.share.id, undefined, soon());
    expect(first).toMatchObject({
      already: false,
      sessionsCut: 1,
      streamsCut: 0,
      originalsTaken: 1,
      share: { state: "revoked" },
    });
    const second = await sharing.revoke(made.share.id, undefined, soon());
    expect(second).toEqual({ ...first, already: true, sessionsCut: 0 });
    await expect(sharing.revoke("SNONE", undefined, soon())).rejects.toMatchObject({
      code: "not-found.share",
    });
    expect(
      (await custodyOf(exhibit.id)).filter(
        ({ facts, verb }) => verb === "share-revoked" && facts["share"] === made.share.id,
      ),
    ).toHaveLength(1);
  });

  it("are given another end, link and code staying, until they have ended", async () => {
    const made = await share();
    const sharing = sharingOf(officer.session);
    const { share: updated } = await sharing.update(made.share.id, inDays(30), soon());
    expect(updated).toEqual({ ...made.share, expiresAt: updated.expiresAt });
    expect(Date.parse(updated.expiresAt)).toBeGreaterThan(Date.now() + 29 * day);
    const recipient = new Recipient(made.link);
    expect((await recipient.give(made.code)).status).toBe(303);
    expect((await custodyOf(exhibit.id)).map(({ verb }) => verb)).toContain("share-updated");
    for (const [by, end, code] of [
      [other, inDays(3), "not-found.share"],
      [officer, inDays(-1), "usage.invalid"],
      [officer, inDays(91), "usage.invalid"],
    ] as const) {
      const update = sharingOf(by.session).update(made.share.id, end, soon());
      await expect(update).rejects.toMatchObject({ code });
    }
    await sharing.revoke(made.share.id, undefined, soon());
    await expect(sharing.update(made.share.id, inDays(3), soon())).rejects.toMatchObject({
      code: "conflict.share-ended",
    });
  });

  it("are refused where a mark must be seen and cannot be, and for Box's kinds of links", async () => {
    for (const [changes, code] of [
      [{ access: "original", requireVisibleMark: true }, "policy.type-not-markable"],
      [{ link: "company" }, "policy.unsupported"],
    ] as const) {
      await expect(share(changes)).rejects.toMatchObject({ code });
    }
    const seen = await share({ exhibits: [photo], access: "view", requireVisibleMark: true });
    expect(seen.share.state).toBe("open");
  });

  it("lose one exhibit at a time, and end with the last", async () => {
    const made = await share({ exhibits: [exhibit, photo] });
    const sharing = sharingOf(officer.session);
    const recipient = new Recipient(made.link);
    await recipient.give(made.code);
    const one = await sharing.revoke(made.share.id, exhibit.id, soon());
    expect(one).toMatchObject({ already: false, sessionsCut: 0, share: { state: "open" } });
    expect(one.share.exhibits.map(({ revokedAt }) => revokedAt !== undefined)).toEqual([
      true,
      false,
    ]);
    expect((await recipient.get(`x/${exhibit.id}/1/original`)).status).toBe(404);
    expect((await recipient.get(`x/${photo.id}/1/original`)).status).toBe(200);
    const page = await recipient.get();
    expect(page.text).not.toContain(exhibit.id);
    expect(page.text).toContain(photo.id);

    expect((await sharing.revoke(made.share.id, exhibit.id, soon())).already).toBe(true);
    const foreign = `x${"0".repeat(26)}`;
    await expect(sharing.revoke(made.share.id, foreign, soon())).rejects.toMatchObject({
      code: "not-found.exhibit",
    });
    const last = await sharing.revoke(made.share.id, photo.id, soon());
    expect(last).toMatchObject({ already: false, sessionsCut: 1, share: { state: "revoked" } });
    expect((await recipient.get()).status).toBe(410);
  });

  it("take no body that is not theirs", async () => {
    const answer = officer.session.call(
      { method: "POST", path: sharesPath, body: { ...wanted(), vanity: "my-link" }, once: true },
      soon(),
    );
    await expect(answer).rejects.toMatchObject({ code: "usage.invalid" });
  });
});
