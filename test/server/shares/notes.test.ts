import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import sharp from "sharp";
import { custodyLog } from "../../../src/app/custody-log.ts";
import { checkCustody, type CustodyEvent } from "../../../src/evidence/custody.ts";
import { sha256Of } from "../../../src/evidence/digest.ts";
import { openNote } from "../../../src/evidence/note.ts";
import type { ShareRequest } from "../../../src/evidence/ports/sharing.ts";
import { newPrivateJwk, signingKey } from "../../../src/evidence/seal.ts";
import { custodyLines } from "../../../src/server/custody/custody.ts";
import { sharingOf } from "../../../src/stores/server/sharing.ts";
import { makeClient, type TestClient } from "../../support/client.ts";
import { coded, type CodedShare } from "../../support/coded-share.ts";
import { clip, pdfStatement } from "../../support/media.ts";
import { Recipient, type Seen } from "../../support/recipient.ts";
import { sealedExhibit } from "../../support/sealed-exhibit.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";
import { readFile } from "node:fs/promises";

jest.setTimeout(60_000);

describe("a recipient's notes", () => {
  let server: TestServer;
  let officer: Person;
  let client: TestClient;
  let exhibit: Awaited<ReturnType<typeof sealedExhibit>>;
  let sound: Buffer;

  beforeAll(async () => {
    server = await startServer();
    officer = await server.enrol("officer");
    client = await makeClient(server.url, officer.machine);
    sound = await readFile(await clip("callMp3"));
    const create = { width: 320, height: 200, channels: 3, background: "#88aacc" } as const;
    exhibit = await sealedExhibit(server, officer, [
      { path: "call.mp3", mediaType: "audio/mpeg", bytes: sound },
      { path: "b.jpg", mediaType: "image/jpeg", bytes: await sharp({ create }).jpeg().toBuffer() },
      { path: "c.pdf", mediaType: "application/pdf", bytes: await pdfStatement() },
    ]);
  });
  afterAll(async () => {
    await client.close();
    await server.stop();
  });

  async function opened(
    changes: Partial<ShareRequest> = {},
  ): Promise<{ made: CodedShare; visitor: Recipient }> {
    const request: ShareRequest = {
      exhibits: [exhibit],
      recipient: { name: "Jane Smith", email: "jane@cps.example" },
      access: "view",
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
      purpose: undefined,
      ...changes,
    };
    const made = await coded(sharingOf(officer.session).create(request, soon()));
    const visitor = new Recipient(made.link);
    expect((await visitor.give(made.code)).status).toBe(303);
    return { made, visitor };
  }

  function leave(visitor: Recipient, file: number, fields: Record<string, string>): Promise<Seen> {
    const accept = { accept: "application/json" };
    return visitor.post(fields, `x/${exhibit.id}/${file}/notes`, accept);
  }

  async function noted(): Promise<CustodyEvent[]> {
    const { events } = checkCustody(await custodyLines(server.deps.database, exhibit.id));
    return events.filter(({ verb }) => verb === "noted");
  }

  it("stand on the exhibit's custody log, signed, bound to the file's digest, under the share's id; and are seen by who left them and by the officer", async () => {
    const { made, visitor } = await opened();
    const text = "<script>alert(1)</script> The man in red\r\n\u202eis \u0007Robert";
    const left = await leave(visitor, 1, { text, at: "1:02:03" });
    expect([left.status, JSON.parse(left.text)]).toEqual([
      201,
      {
        text: "<script>alert(1)</script> The man in red\n is  Robert",
        place: "at 1:02:03",
        at: expect.any(String),
      },
    ]);
    expect((await leave(visitor, 2, { text: "Note two" })).status).toBe(201);
    expect((await leave(visitor, 3, { text: "Note three", page: "2" })).status).toBe(201);
    const plain = await visitor.post({ text: "No script", at: "83.5" }, `x/${exhibit.id}/1/notes`);
    expect(plain.status).toBe(303);
    const back = new URL(String(plain.headers["location"]), `${made.link}/x/${exhibit.id}/1/notes`);
    expect(back.href).toBe(made.link);

    const events = await noted();
    expect(
      events.map(({ actor, facts }) => [actor, facts["file"], facts["seconds"], facts["page"]]),
    ).toEqual([
      [made.share.id, 1, 3723, undefined],
      [made.share.id, 2, undefined, undefined],
      [made.share.id, 3, undefined, 2],
      [made.share.id, 1, 83.5, undefined],
    ]);
    const [first] = events;
    if (first === undefined) throw new Error("There is no note.");
    const note = await openNote(first, server.deps.key.publicJwk);
    expect(note).toMatchObject({ share: made.share.id, sha256: sha256Of(sound), file: 1 });
    const altered = { ...first, facts: { ...first.facts, text: "Nobody" } };
    await expect(openNote(altered, server.deps.key.publicJwk)).rejects.toMatchObject({
      code: "integrity.signature",
    });
    const other = (await signingKey(await newPrivateJwk())).publicJwk;
    await expect(openNote(first, other)).rejects.toMatchObject({ code: "integrity.signature" });
    const checked = await custodyLog(client.deps, { exhibit: exhibit.id }, soon());
    expect(checked.notes).toEqual({ checked: 4, byUnknownKey: 0 });

    const page = (await visitor.get()).text;
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt; The man in red");
    expect(page).toContain("<strong>at 1:02:03</strong>");
    expect(page).not.toMatch(/<script>alert|\u202e|\p{Cc}(?<!\n)/u);
    const { events: log } = await sharingOf(officer.session).log(made.share.id, soon());
    expect(log.filter(({ kind }) => kind === "note-left").map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/^file 1 at 1:02:03: <script>alert/),
      "file 2: Note two",
      "file 3 on page 2: Note three",
      "file 1 at 0:01:23: No script",
    ]);
    expect(server.log.join("")).not.toMatch(/Robert|man in red/);
    expect((await (await opened()).visitor.get()).text).not.toContain("man in red");
  });

  it("are refused where they are not right, not wanted, too many, or nobody's", async () => {
    const { made, visitor } = await opened();
    const before = (await noted()).length;
    const rows: [Recipient, number, Record<string, string>, number][] = [
      [visitor, 1, {}, 400],
      [visitor, 1, { text: " \n\u202e " }, 400],
      [visitor, 1, { text: "x".repeat(501) }, 400],
      [visitor, 1, { text: "x", at: "soon" }, 400],
      [visitor, 1, { text: "x", at: "1:99:00" }, 400],
      [visitor, 3, { text: "x", page: "two" }, 400],
      [visitor, 9, { text: "x" }, 404],
      [visitor, 1, { text: "x".repeat(20_000) }, 413],
      [new Recipient(made.link), 1, { text: "x" }, 404],
      [new Recipient(`${server.url}/s/unknown`), 1, { text: "x" }, 404],
      [(await opened({ notes: false })).visitor, 1, { text: "x" }, 403],
    ];
    for (const [by, file, fields, status] of rows) {
      expect([fields, (await leave(by, file, fields)).status]).toEqual([fields, status]);
    }
    expect((await (await opened({ notes: false })).visitor.get()).text).not.toContain("<textarea");
    expect((await leave(visitor, 1, { text: "🚌".repeat(500) })).status).toBe(201);
    const { database } = server.deps;
    const row = await database
      .selectFrom("share_notes")
      .selectAll()
      .orderBy("seq", "desc")
      .executeTakeFirstOrThrow();
    const { seq, ...copy } = row;
    expect(seq).toBeGreaterThan(0);
    await database.insertInto("share_notes").values(Array(199).fill(copy)).execute();
    const full = await leave(visitor, 1, { text: "one more" });
    expect([full.status, full.text]).toEqual([403, expect.stringContaining("200 notes")]);
    expect((await noted()).length).toBe(before + 1);
  });

  it("cannot be left after the share was revoked, nor on an exhibit that was taken out of it", async () => {
    const { made, visitor } = await opened();
    const before = (await noted()).length;
    await sharingOf(officer.session).revoke(made.share.id, undefined, soon());
    expect((await leave(visitor, 1, { text: "late" })).status).toBe(410);
    expect((await noted()).length).toBe(before);
  });
});
