import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { request } from "undici";
import { newToken } from "../../../src/server/shares/share-secrets.ts";
import { sharingOf } from "../../../src/stores/server/sharing.ts";
import { coded, type CodedShare } from "../../support/coded-share.ts";
import { Recipient } from "../../support/recipient.ts";
import { sealedExhibit } from "../../support/sealed-exhibit.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(120_000);

/** What a browser asks for when somebody follows a link. */
const window = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

describe("whoever comes with a browser", () => {
  let server: TestServer;
  let officer: Person;
  let exhibit: { id: string; case: string; reference: string };

  beforeAll(async () => {
    server = await startServer({ settings: { organisation: "Avonshire Police" } });
    officer = await server.enrol("officer");
    exhibit = await sealedExhibit(
      server,
      officer,
      [{ path: "call.bin", mediaType: "text/plain", bytes: Buffer.from("twenty seconds") }],
      {
        recorded: {
          from: "2026-11-28T08:00:00.000Z",
          to: "2026-11-28T08:00:20.000Z",
          timeZone: "Europe/London",
        },
      },
    );
  });
  afterAll(() => server.stop());

  async function opened(): Promise<{ made: CodedShare; visitor: Recipient }> {
    const made = await coded(
      sharingOf(officer.session).create(
        {
          exhibits: [exhibit],
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
    return { made, visitor };
  }

  const original = (): string => `x/${exhibit.id}/1/original`;

  it("reads every refusal as a page in our style; programs go on getting what they can read", async () => {
    const { made, visitor } = await opened();
    const stranger = new Recipient(made.link);
    await sharingOf(officer.session).revoke(made.share.id, undefined, soon());
    const link = `${server.url}/s/${newToken()}`;
    const there = await opened();
    const rows = [
      ["/", 404, "There is nothing here", await new Recipient(`${server.url}/`).get("", window)],
      ["an unknown address", 404, "There is nothing here", await new Recipient(`${server.url}/a/b`).get("", window)],
      ["below a link, no code", 404, "There is nothing here", await stranger.get(original(), window)],
      ["another's file", 404, "There is nothing here", await there.visitor.get("x/abc/1/original", window)],
      ["a file of what has ended", 410, "This link has ended", await visitor.get(original(), window)],
      ["a note that is not right", 400, "This did not work", await there.visitor.post({ text: "" }, `x/${exhibit.id}/1/notes`, window)],
    ] as const; // prettier-ignore
    for (const [what, status, title, seen] of rows) {
      expect([what, seen.status, seen.headers["content-type"]]).toEqual([
        what,
        status,
        "text/html; charset=utf-8",
      ]);
      expect(seen.text).toContain(`<h1 tabindex="-1">${title}</h1>`);
      expect(seen.text).toContain("Avonshire Police");
      expect(seen.headers["content-security-policy"]).toContain("style-src 'self'");
      expect(seen.headers["x-frame-options"]).toBe("DENY");
    }
    const bare = await there.visitor.post({ text: "" }, `x/${exhibit.id}/1/notes`);
    expect(bare.headers["content-type"]).toContain("application/problem+json");
    const unknown = await new Recipient(link).get(original(), window);
    expect(unknown.text).toBe(rows[2][3].text);
  });

  it.each(["/", "/a", "/a/b?c=/d/e", "/s/TOKEN/x/EXHIBIT/1/picture.jpg"])(
    "finds the page's style from %s",
    async (address) => {
      const url = `${server.url}${address}`;
      const { text } = await new Recipient(url).get("", window);
      const [, style = ""] = /rel="stylesheet" href="([^"]+)"/.exec(text) ?? [];
      const answer = await request(new URL(style, url));
      expect(answer.headers["content-type"]).toBe("text/css; charset=utf-8");
      await answer.body.dump();
    },
  );

  it.each(["cross-site", "same-site"])(
    "can send no form here from another site (%s), cookie or not",
    async (site) => {
      const { made, visitor } = await opened();
      const elsewhere = { "sec-fetch-site": site };
      const notes = `x/${exhibit.id}/1/notes`;
      const forged = await visitor.post({ text: "I agree" }, notes, elsewhere);
      const code = await new Recipient(made.link).post({ code: made.code }, "", elsewhere);
      expect([forged.status, code.status, code.headers["set-cookie"]]).toEqual([
        403,
        403,
        undefined,
      ]);
      const own = await visitor.post({ text: "mine" }, notes, { "sec-fetch-site": "same-origin" });
      expect(own.status).toBe(303);
      const page = (await visitor.get()).text;
      expect([page.includes("I agree"), page.includes("mine")]).toEqual([false, true]);
    },
  );

  it("tells no other site anything: no answer allows another origin, asked before or not", async () => {
    const { made, visitor } = await opened();
    const headers = { origin: "https://elsewhere.example" };
    const ask = { ...headers, "access-control-request-method": "POST" };
    const answers = [
      await visitor.get("", headers),
      await visitor.get(original(), headers),
      await request(`${server.url}/v1/server?nonce=${"n".repeat(20)}`, { headers }),
      await request(made.link, { method: "OPTIONS", headers: ask }),
      await request(`${server.url}/v1/shares`, { method: "OPTIONS", headers: ask }),
    ];
    const names = answers.flatMap((answer) => Object.keys(answer.headers));
    expect(names).toContain("content-security-policy");
    expect(names.filter((name) => name.startsWith("access-control-"))).toEqual([]);
    expect(answers[0]?.headers["content-type"]).toBe("text/html; charset=utf-8");
  });

  it("reads from when to when something was recorded to the second", async () => {
    const { visitor } = await opened();
    const { text } = await visitor.get();
    expect(text).toContain("28 November 2026 at 08:00:00 GMT");
    expect(text).toContain("28 November 2026 at 08:00:20 GMT");
  });
});
