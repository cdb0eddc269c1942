import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { checkCustody } from "../../../src/evidence/custody.ts";
import { sha256Of } from "../../../src/evidence/digest.ts";
import { custodyLines } from "../../../src/server/custody/custody.ts";
import { sharingOf } from "../../../src/stores/server/sharing.ts";
import { coded } from "../../support/coded-share.ts";
import { Recipient } from "../../support/recipient.ts";
import { sealedExhibit } from "../../support/sealed-exhibit.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(120_000);

const master = Buffer.from("the unaltered master, byte for byte");

describe("a share of originals", () => {
  let server: TestServer;
  let officer: Person;
  let exhibit: { id: string; case: string; reference: string };

  beforeAll(async () => {
    server = await startServer();
    officer = await server.enrol("officer");
    exhibit = await sealedExhibit(server, officer, [
      { path: 'D:\\cam "1"/été\r\nX: y.avi', mediaType: "text/html", bytes: master },
    ]);
  });
  afterAll(() => server.stop());

  /** A recipient who has given the code. */
  async function opened(exhibits = [exhibit]): Promise<Recipient & { shareId: string }> {
    const made = await coded(
      sharingOf(officer.session).create(
        {
          exhibits,
          recipient: { name: "Jane Smith", email: "jane@cps.example" },
          access: "original",
          expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
          purpose: undefined,
        },
        soon(),
      ),
    );
    const visitor = new Recipient(made.link);
    expect((await visitor.give(made.code)).status).toBe(303);
    return Object.assign(visitor, { shareId: made.share.id });
  }

  it("gives originals under their own names, whole or in ranges, with record and receipt", async () => {
    const visitor = await opened();
    const address = `x/${exhibit.id}/1/original`;
    const whole = await visitor.get(address);
    expect(whole.bytes.equals(master)).toBe(true);
    expect(whole.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-length": String(master.length),
      "content-disposition": `attachment; filename="_t__X_ y.avi"; filename*=UTF-8''%C3%A9t%C3%A9_X_%20y.avi`,
      etag: `"${sha256Of(master)}"`,
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringMatching(/^default-src 'none';/),
    });
    const etag = String(whole.headers["etag"]);
    const ranges: [Record<string, string>, number, string][] = [
      [{ range: "bytes=4-12" }, 206, "unaltered"],
      [{ range: "bytes=-4" }, 206, "byte"],
      [{ range: "bytes=4-12", "if-range": etag }, 206, "unaltered"],
      [{ range: "bytes=4-12", "if-range": '"other"' }, 200, master.toString()],
      [{ range: "bytes=500-" }, 416, ""],
    ];
    for (const [headers, status, text] of ranges) {
      const seen = await visitor.get(address, headers);
      expect([seen.status, seen.text]).toEqual([status, text]);
    }
    const record = await visitor.get(`x/${exhibit.id}/record.json`);
    const receipt = await visitor.get(`x/${exhibit.id}/receipt.json`);
    const stored = await server.deps.database
      .selectFrom("exhibits")
      .select(["record", "receipt"])
      .where("id", "=", exhibit.id)
      .executeTakeFirstOrThrow();
    expect([record.text, receipt.text]).toEqual([stored.record, stored.receipt]);
  });

  it.each(["record", "receipt"])(
    "says in log and custody that the signed %s was taken, and gives none once it is revoked",
    async (document) => {
      const fresh = await sealedExhibit(server, officer, [
        { path: "a.txt", mediaType: "text/plain", bytes: master },
      ]);
      const visitor = await opened([fresh]);
      const address = `x/${fresh.id}/${document}.json`;
      expect((await visitor.get(address)).status).toBe(200);
      const sharing = sharingOf(officer.session);
      expect((await sharing.log(visitor.shareId, soon())).events).toMatchObject([
        { kind: "session-started" },
        { kind: "exhibit-viewed", reference: fresh.reference },
        { kind: "file-viewed", reference: fresh.reference, detail: `signed ${document}` },
      ]);
      const custody = checkCustody(await custodyLines(server.deps.database, fresh.id));
      expect(custody.events.map(({ verb, actor }) => [verb, actor]).slice(2)).toEqual([
        ["disclosed", visitor.shareId],
        ["consulted", visitor.shareId],
      ]);
      const revocation = await sharing.revoke(visitor.shareId, undefined, soon());
      expect(revocation.originalsTaken).toBe(0);
      expect((await visitor.get(address)).status).toBe(410);
    },
  );

  it("finds nothing where nothing is, and no path leads out of the share", async () => {
    const elsewhere = await sealedExhibit(server, officer, [
      { path: "secret.txt", mediaType: "text/plain", bytes: Buffer.from("of another case") },
    ]);
    const visitor = await opened();
    for (const address of [
      `x/${elsewhere.id}/1/original`,
      `x/${elsewhere.id}/record.json`,
      `x/${exhibit.id}/2/original`,
      `x/${exhibit.id}/0/original`,
      `x/${exhibit.id}/1e0/original`,
      `x/${exhibit.id}/..%2f..%2f1/original`,
      `x/..%2f..%2fetc/1/original`,
      `x/${exhibit.id}/1/segment/0`,
      `x/${exhibit.id}/1/picture.jpg`,
      `assets/../../etc/passwd`,
    ]) {
      const seen = await visitor.get(address);
      expect([address, seen.status]).toEqual([address, 404]);
      expect(seen.text).not.toContain("of another case");
    }
  });
});
