import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { sql } from "kysely";
import { pino } from "pino";
import { sha256Of } from "../../../src/evidence/digest.ts";
import type { ShareRequest } from "../../../src/evidence/ports/sharing.ts";
import type { ShareAccessEvent } from "../../../src/evidence/share.ts";
import { createServer } from "../../../src/server/server.ts";
import { newToken } from "../../../src/server/shares/share-secrets.ts";
import { sharingOf } from "../../../src/stores/server/sharing.ts";
import { coded, type CodedShare } from "../../support/coded-share.ts";
import { MovingClock } from "../../support/moving-clock.ts";
import { Recipient, type Seen } from "../../support/recipient.ts";
import { sealedExhibit } from "../../support/sealed-exhibit.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";

/** Real programs on a busy machine take their time. */
jest.setTimeout(120_000);

const minute = 60_000;
const hour = 60 * minute;
const master = Buffer.from("the unaltered master, byte for byte");

describe("the recipient's page", () => {
  const clock = new MovingClock();
  let server: TestServer;
  let officer: Person;
  let exhibit: { id: string; case: string; reference: string };

  beforeAll(async () => {
    server = await startServer({ clock, settings: { organisation: "Avonshire <Police>" } });
    officer = await server.enrol("officer");
    exhibit = await sealedExhibit(
      server,
      officer,
      [{ path: 'D:\\cam "1"/été\r\nX: y.avi', mediaType: "text/html", bytes: master }],
      { title: "<img src=x onerror=alert(1)> upper deck" },
    );
  });
  afterAll(() => server.stop());

  function share(changes: Partial<ShareRequest> = {}): Promise<CodedShare> {
    const request: ShareRequest = {
      exhibits: [exhibit],
      recipient: { name: `<b>O'Neill</b> & "سارة"`, email: "jane@cps.example" },
      access: "original",
      expiresAt: new Date(clock.now().getTime() + 2 * hour).toISOString(),
      purpose: undefined,
      ...changes,
    };
    return coded(sharingOf(officer.session).create(request, soon()));
  }

  async function revoke(made: CodedShare): Promise<void> {
    await sharingOf(officer.session).revoke(made.share.id, undefined, soon());
  }

  function logOf(made: CodedShare): Promise<readonly ShareAccessEvent[]> {
    return sharingOf(officer.session)
      .log(made.share.id, soon())
      .then(({ events }) => events);
  }

  async function kindsIn(made: CodedShare): Promise<string[]> {
    return (await logOf(made)).map(({ kind }) => kind);
  }

  /** What a stranger can tell one answer from another by: all of it but the request's own id and date. */
  function looks({ status, headers, text }: Seen): unknown {
    const rest = Object.entries(headers).filter(([name]) => !/^(?:x-request-id|date)$/.test(name));
    return { status, headers: rest, text: text.replace(/"requestId":"\w+"/, "") };
  }

  /** Links in every state, each with a code that is right where there is one. */
  async function links(): Promise<Record<string, { link: string; code: string }>> {
    const [open, revoked] = [await share(), await share()];
    const expired = await clock.later(-3 * hour, () => share());
    await revoke(revoked);
    return {
      unknown: { link: `${server.url}/s/${newToken()}`, code: "K7QW-3M9T" },
      malformed: { link: `${server.url}/s/%3Cscript%3E`, code: "K7QW-3M9T" },
      open: { link: open.link, code: "K7QW-3M9T" },
      revoked,
      expired,
    };
  }

  it("is the same for a stranger whatever the link: before a code, after a wrong one, after too many, below it", async () => {
    const all = await links();
    const asks: [string, (visitor: Recipient, code: string) => Promise<Seen>, number][] = [
      ["page", (visitor) => visitor.get(), 200],
      ["head", (visitor) => visitor.head(), 200],
      ["no field", (visitor) => visitor.give(""), 403],
      ["code", (visitor, code) => visitor.give(code), 403],
      ["long code", (visitor) => visitor.give("A".repeat(300)), 403],
      ["huge code", (visitor) => visitor.give("A".repeat(20_000)), 413],
      ["third", (visitor, code) => visitor.give(code), 403],
      ["fourth", (visitor, code) => visitor.give(code), 403],
      ["limited", (visitor, code) => visitor.give(code), 429],
      ["playlist", (visitor) => visitor.get(`x/${exhibit.id}/1/video.m3u8`), 404],
      ["original", (visitor) => visitor.get(`x/${exhibit.id}/1/original`), 404],
      ["events", (visitor) => visitor.get("events"), 404],
      ["session", (visitor) => visitor.get("session"), 404],
    ];
    for (const [name, ask, status] of asks) {
      const seen: unknown[] = [];
      for (const { link, code } of Object.values(all)) {
        const visitor = new Recipient(link);
        visitor.cookie = `exhibit_view=${newToken()}`;
        const answer = await ask(visitor, code);
        expect([name, answer.status, answer.headers["set-cookie"]]).toEqual([
          name,
          status,
          undefined,
        ]);
        expect(answer.text).not.toMatch(/O'Neill|O&#39;Neill|upper deck|SHA-256/);
        seen.push(looks(answer));
      }
      for (const one of seen) expect(one).toEqual(seen[0]);
    }
  });

  it("holds nothing before the code but the organisation and the field", async () => {
    const { text } = await new Recipient((await share()).link).get();
    expect(text).toContain("Avonshire &lt;Police&gt;");
    expect(text).toContain('<label for="code">');
    expect(text).not.toMatch(/<script|<video|<img/);
  });

  it("goes out with headers that let nothing in, keep nothing and tell nobody", async () => {
    const made = await share();
    const visitor = new Recipient(made.link);
    const stranger = await visitor.get();
    await visitor.give(made.code);
    const pages = [
      stranger,
      await visitor.get(),
      await visitor.get("session"),
      await visitor.get(`x/${exhibit.id}/1/original`),
    ];
    for (const { headers } of pages) {
      expect(headers).toMatchObject({
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex, nofollow, noarchive",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "content-security-policy":
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; media-src 'self' blob:; worker-src blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      });
    }
    const page = pages[1]?.text ?? "";
    expect(page).not.toMatch(/https?:\/\/|<script>|style=|javascript:|\son[a-z]+="/);
  });

  it("starts a session with a cookie for this link alone, and shows what is shared, all of it escaped", async () => {
    const made = await share();
    const visitor = new Recipient(made.link);
    const answer = await visitor.give(` ${made.code.toLowerCase().replace("-", " ")}`);
    expect(answer.status).toBe(303);
    const { pathname } = new URL(made.link);
    expect(new URL(String(answer.headers["location"]), made.link).pathname).toBe(pathname);
    expect(answer.headers["set-cookie"]).toMatch(
      new RegExp(
        `^exhibit_view=[\\w-]{32}; Max-Age=7[12]\\d\\d; Path=${pathname}; HttpOnly; SameSite=Strict$`,
      ),
    );
    const { status, text } = await visitor.get();
    expect(status).toBe(200);
    expect(text).toContain("&lt;b&gt;O&#39;Neill&lt;/b&gt; &amp; &quot;سارة&quot;");
    expect(text).toContain("&lt;img src=x onerror=alert(1)&gt; upper deck");
    for (const shown of [exhibit.reference, sha256Of(master), made.share.id, "Acme Buses"]) {
      expect(text).toContain(shown);
    }
    const other = new Recipient((await share()).link);
    other.cookie = visitor.cookie;
    expect((await other.get()).text).not.toContain(exhibit.reference);
    expect((await other.get("session")).status).toBe(404);
  });

  it("keeps its cookie to https, and to the path that the server has there", async () => {
    const { deps } = server;
    const publicUrl = "https://evidence.example/avon";
    const settings = { ...deps.settings, publicUrl, scratch: path.join(server.folder, "https") };
    const behindProxy = await createServer({ ...deps, settings }, pino({ enabled: false }));
    try {
      const made = await share();
      const { pathname } = new URL(made.link);
      const answer = await behindProxy.inject({
        method: "POST",
        url: pathname,
        payload: new URLSearchParams({ code: made.code }).toString(),
        headers: { "content-type": "application/x-www-form-urlencoded" },
      });
      expect([answer.statusCode, answer.headers.location]).toEqual([303, pathname.slice(3)]);
      expect(answer.headers["set-cookie"]).toMatch(
        new RegExp(`; Path=/avon${pathname}; HttpOnly; Secure; SameSite=Strict$`),
      );
    } finally {
      await behindProxy.close();
    }
  });

  it("tells in the log who came: scanners, wrong codes, sessions, and what was refused", async () => {
    const made = await share();
    const scanner = new Recipient(made.link, `MailScanner/1.0 ${"x".repeat(500)}`);
    await scanner.get();
    await scanner.head();
    const visitor = new Recipient(made.link);
    await visitor.get();
    await visitor.give("WRONG");
    await visitor.give(made.code);
    await visitor.get();
    await visitor.get(`x/${exhibit.id}/1/original`, { range: "bytes=4-12" });
    expect(await logOf(made)).toMatchObject([
      {
        kind: "prefetch",
        agent: `MailScanner/1.0 ${"x".repeat(184)}`,
        address: "127.0.0.1",
        detail: expect.stringMatching(/^2 times/),
      },
      { kind: "page" },
      { kind: "code-wrong" },
      { kind: "session-started", session: expect.stringMatching(/^v/) },
      { kind: "page", session: expect.stringMatching(/^v/) },
      { kind: "exhibit-viewed", reference: exhibit.reference },
      { kind: "original-downloaded", detail: "file 1, bytes 4 to 12" },
    ]);
    await revoke(made);
    expect((await visitor.get()).status).toBe(410);
    expect((await visitor.get(`x/${exhibit.id}/1/original`)).status).toBe(410);
    await visitor.give(made.code);
    expect((await kindsIn(made)).slice(7)).toEqual(["refused-revoked", "refused-revoked"]);
  });

  it("tells in the log who asked below the link without a code, apart from its recipient, within bounds", async () => {
    const made = await share();
    const guest = new Recipient(made.link, "curl/8");
    const asked = 300;
    for (let n = 0; n < asked; n += 1) {
      const below = n % 2 === 0 ? "session" : `x/${exhibit.id}/1/original`;
      expect((await guest.get(below)).status).toBe(404);
    }
    expect(await logOf(made)).toMatchObject([
      {
        kind: "prefetch",
        agent: "curl/8",
        detail: expect.stringMatching(/^refused: no code given, (?:1\d\d|2[0-3]\d|240) times/),
      },
    ]);
  });

  it("never lets a stranger wait for the log, and shows a session nothing that is not in it", async () => {
    const made = await share();
    const visitor = new Recipient(made.link);
    await visitor.give(made.code);
    const { database } = server.deps;
    await sql`create trigger full before insert on share_accesses begin select raise(abort, 'full'); end`.execute(
      database,
    );
    try {
      const stranger = new Recipient(made.link);
      const answers = [await stranger.get(), await stranger.give("WRONG")];
      answers.push(await stranger.get("session"));
      expect(answers.map(({ status }) => status)).toEqual([200, 403, 404]);
      for (const below of ["", `x/${exhibit.id}/1/original`, `x/${exhibit.id}/record.json`]) {
        const seen = await visitor.get(below);
        expect([below, seen.status]).toEqual([below, 500]);
        expect(seen.text).not.toMatch(/upper deck|master/);
      }
    } finally {
      await sql`drop trigger full`.execute(database);
    }
    expect(await kindsIn(made)).toEqual(["session-started"]);
    expect(server.log.filter((line) => line.includes('"msg":"share log"'))).toHaveLength(3);
  });

  it("limits codes by client and by link, and opens again when the time is over", async () => {
    const made = await share();
    const visitor = new Recipient(made.link);
    for (let n = 0; n < 5; n += 1) expect((await visitor.give("WRONG")).status).toBe(403);
    const limited = await visitor.give(made.code);
    expect(limited.status).toBe(429);
    expect(limited.headers["retry-after"]).toBe("900");
    expect(limited.text).toContain("Wait 15 minutes");
    const later = await clock.later(15 * minute, () => visitor.give(made.code));
    expect(later.status).toBe(303);
    expect(await kindsIn(made)).toEqual([
      ...Array<string>(5).fill("code-wrong"),
      "code-limited",
      "session-started",
    ]);
  });

  it("ends with the share's time: sessions, downloads and codes", async () => {
    const made = await share();
    const visitor = new Recipient(made.link);
    await visitor.give(made.code);
    await clock.later(2 * hour, async () => {
      expect((await visitor.get()).text).toContain("This link has ended");
      expect((await visitor.get("session")).status).toBe(410);
      expect((await visitor.get(`x/${exhibit.id}/1/original`)).status).toBe(410);
      expect((await new Recipient(made.link).give(made.code)).status).toBe(403);
    });
    expect(await kindsIn(made)).toEqual(["session-started", "refused-expired", "refused-expired"]);
    expect((await logOf(made)).at(-1)?.detail).toBe("right code");
  });
});
