import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { request } from "undici";
import { sharingOf } from "../../../src/stores/server/sharing.ts";
import { coded, type CodedShare } from "../../support/coded-share.ts";
import { MovingClock } from "../../support/moving-clock.ts";
import { Recipient } from "../../support/recipient.ts";
import { sealedExhibit } from "../../support/sealed-exhibit.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(120_000);

const hour = 3_600_000;
const masterBytes = 48 * 1024 * 1024;

describe("what is open when a share ends", () => {
  const clock = new MovingClock();
  let server: TestServer;
  let officer: Person;
  let exhibit: { id: string; case: string; reference: string };
  let small: typeof exhibit;

  beforeAll(async () => {
    server = await startServer({ clock });
    officer = await server.enrol("officer");
    exhibit = await sealedExhibit(server, officer, [
      { path: "a.bin", mediaType: "application/octet-stream", bytes: randomBytes(masterBytes) },
    ]);
    small = await sealedExhibit(server, officer, [
      { path: "b.bin", mediaType: "application/octet-stream", bytes: randomBytes(10) },
    ]);
  });
  afterAll(() => server.stop());

  async function opened(hours = 1): Promise<{ made: CodedShare; visitor: Recipient }> {
    const made = await coded(
      sharingOf(officer.session).create(
        {
          exhibits: [exhibit, small],
          recipient: { name: "Jane Smith", email: "jane@cps.example" },
          access: "original",
          expiresAt: new Date(Date.now() + hours * hour).toISOString(),
          purpose: undefined,
        },
        soon(),
      ),
    );
    const visitor = new Recipient(made.link);
    const given = await visitor.give(made.code);
    // Kept for as long as the share goes on, so that its recipient is told why a code is asked for again.
    const [, seconds] = /Max-Age=(\d+)/.exec(String(given.headers["set-cookie"])) ?? [];
    expect([given.status, Math.ceil(Number(seconds) / 3600)]).toEqual([303, hours]);
    return { made, visitor };
  }

  /** An open line of server events, read as they come. */
  async function listen(visitor: Recipient): Promise<{ until(event: string): Promise<string> }> {
    const answer = await request(`${visitor.link}/events`, {
      headers: { cookie: visitor.cookie ?? "" },
      signal: soon(),
    });
    expect(answer.headers["content-type"]).toBe("text/event-stream");
    let text = "";
    const pieces = answer.body[Symbol.asyncIterator]();
    return {
      async until(event) {
        while (!text.includes(`event: ${event}\n`)) {
          const piece = await pieces.next();
          if (piece.done === true) return text;
          text += String(piece.value);
        }
        return text;
      },
    };
  }

  it("is cut off: a download in the middle of its bytes, and open pages by an event", async () => {
    const { made, visitor } = await opened();
    const page = await listen(visitor);
    await page.until("beat");
    const download = await request(`${made.link}/x/${exhibit.id}/1/original`, {
      headers: { cookie: visitor.cookie ?? "" },
      signal: soon(),
    });
    let received = 0;
    const pieces = download.body[Symbol.asyncIterator]();
    received += ((await pieces.next()).value as Buffer).length;

    const outcome = await sharingOf(officer.session).revoke(made.share.id, undefined, soon());
    expect(outcome).toMatchObject({ sessionsCut: 1, streamsCut: 1, originalsTaken: 1 });
    expect(await page.until("the end of the line")).toMatch(/event: ended\ndata: .*\n\n$/);
    const rest = async (): Promise<void> => {
      for (;;) {
        const piece = await pieces.next();
        if (piece.done === true) return;
        received += (piece.value as Buffer).length;
      }
    };
    await expect(rest()).rejects.toThrow();
    expect(received).toBeLessThan(masterBytes);
    expect((await visitor.get("events")).status).toBe(410);
    const { events: log } = await sharingOf(officer.session).log(made.share.id, soon());
    expect(log.find(({ kind }) => kind === "stream-cut")).toMatchObject({
      reference: exhibit.reference,
      detail: "file 1",
    });
  });

  it("hears which exhibit was taken out, and goes on with the rest", async () => {
    const { made, visitor } = await opened();
    const page = await listen(visitor);
    const outcome = await sharingOf(officer.session).revoke(made.share.id, small.id, soon());
    expect(outcome).toMatchObject({ sessionsCut: 0, share: { state: "open" } });
    expect(await page.until("exhibit-ended")).toContain(`"exhibit":"${small.id}"`);
    const later = await page.until("beat");
    expect(later).not.toContain("event: ended");
  });

  it("ends by itself when the time is over", async () => {
    const { visitor } = await opened();
    const page = await listen(visitor);
    await page.until("beat");
    await clock.later(2 * hour, async () => {
      expect(await page.until("the end of the line")).toContain("event: ended");
    });
  });

  it("asks for the code again after eight hours, not before, and says why, while the share goes on", async () => {
    const began = Date.now();
    const { made, visitor } = await opened(20);
    const page = await listen(visitor);
    const original = `x/${small.id}/1/original`;
    await clock.later(8 * hour - (Date.now() - began) - 1000, async () => {
      await page.until("beat");
      expect((await visitor.get()).text).toContain(small.reference);
    });
    await clock.later(8 * hour, async () => {
      const { status, text } = await visitor.get();
      expect([status, text]).toEqual([200, expect.stringContaining("Your viewing time is over.")]);
      expect(text).toContain("Enter your access code");
      expect(text).not.toContain(small.reference);
      for (const below of ["session", "events", original]) {
        expect([below, (await visitor.get(below)).status]).toEqual([below, 403]);
      }
      const told = await page.until("the end of the line");
      expect(told).toContain("event: session-over");
      expect(told).not.toContain("event: ended");
      const other = new Recipient(`${server.url}/s/unknown`);
      other.cookie = visitor.cookie;
      expect((await other.get()).text).not.toContain("viewing time");
      expect((await visitor.give(made.code)).status).toBe(303);
      expect((await visitor.get(original)).status).toBe(200);
    });
    const { events: log } = await sharingOf(officer.session).log(made.share.id, soon());
    expect(log.filter(({ kind }) => kind === "original-downloaded")).toHaveLength(1);
  });

  it("does not keep the server from stopping, and goes on when it is back", async () => {
    const { visitor } = await opened();
    const page = await listen(visitor);
    await server.restart();
    expect(await page.until("the end of the line")).not.toContain("event: ended");
    expect((await visitor.get("session")).status).toBe(204);
  });
});
