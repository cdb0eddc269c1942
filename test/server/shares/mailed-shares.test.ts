import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from "@jest/globals";
import sharp from "sharp";
import type { NewShare, ShareRequest } from "../../../src/evidence/ports/sharing.ts";
import type { Share, ShareAccessEvent } from "../../../src/evidence/share.ts";
import { smtpAddress } from "../../../src/evidence/smtp-address.ts";
import { smtpMail } from "../../../src/platform/smtp.ts";
import { newToken } from "../../../src/server/shares/share-secrets.ts";
import { sharingOf } from "../../../src/stores/server/sharing.ts";
import { MovingClock } from "../../support/moving-clock.ts";
import { Recipient, type Seen } from "../../support/recipient.ts";
import { sealedExhibit } from "../../support/sealed-exhibit.ts";
import { soon, startServer, type Person, type TestServer } from "../../support/server.ts";
import { startMailServer, type MailServer } from "../../support/smtp.ts";

jest.setTimeout(60_000);

const minute = 60_000;
const hour = 60 * minute;
const address = "jane.smith@cps.example";
const codeForm = /\b[2-9A-Y]{4}-[2-9A-Y]{4}\b/;

describe("a share whose link and codes go by mail", () => {
  const clock = new MovingClock();
  let mails: MailServer;
  let server: TestServer;
  let officer: Person;
  let exhibit: ShareRequest["exhibits"][number];

  beforeAll(async () => {
    mails = await startMailServer();
    server = await startServer({
      clock,
      settings: { organisation: "Avonshire Police" },
      deps: {
        mail: smtpMail({
          address: smtpAddress(`smtp://${mails.user}@127.0.0.1:${mails.port}`),
          password: mails.password,
          from: mails.user,
          caPem: mails.ca,
        }),
      },
    });
    officer = await server.enrol("officer", { organisation: "Avonshire Police, Traffic" });
    const create = { width: 320, height: 200, channels: 3, background: "#88aacc" } as const;
    const bytes = await sharp({ create }).jpeg().toBuffer();
    exhibit = await sealedExhibit(
      server,
      officer,
      [{ path: "a.jpg", mediaType: "image/jpeg", bytes }],
      { title: "Victim's hallway" },
    );
  });
  afterAll(async () => {
    await server.stop();
    await mails.stop();
  });
  beforeEach(() => {
    mails.manner = "takes";
    clock.aheadMs = 0;
  });

  function share(changes: Partial<ShareRequest> = {}): Promise<NewShare> {
    return sharingOf(officer.session).create(
      {
        exhibits: [exhibit],
        recipient: { name: "Jane Smith", email: address },
        access: "view",
        expiresAt: new Date(clock.now().getTime() + 24 * hour).toISOString(),
        purpose: "R v Victim",
        ...changes,
      },
      soon(),
    );
  }

  function show({ share: { id } }: NewShare): Promise<Share> {
    return sharingOf(officer.session).show(id, soon());
  }

  async function log({ share: { id } }: NewShare): Promise<readonly ShareAccessEvent[]> {
    return (await sharingOf(officer.session).log(id, soon())).events;
  }

  async function kinds(made: NewShare): Promise<string[]> {
    return (await log(made)).map(({ kind }) => kind);
  }

  /** The link out of the newest mail. */
  async function mailedLink(): Promise<string> {
    return /http:\S+\/s\/\S+/.exec((await mails.next()).mail.text ?? "")?.[0] ?? "";
  }

  async function mailedCode(): Promise<string> {
    return codeForm.exec((await mails.next()).mail.text ?? "")?.[0] ?? "";
  }

  function ask(visitor: Recipient): Promise<Seen> {
    return visitor.post({ ask: "code" });
  }

  /** Waits until the mail with a share's link has come to `state`, and was tried so often. */
  async function until({ share: { id } }: NewShare, state: string, tries = 1): Promise<void> {
    for (;;) {
      const found = await server.deps.database
        .selectFrom("share_mails")
        .select(["state", "tries"])
        .where("share_id", "=", id)
        .executeTakeFirst();
      if (found?.state === state && found.tries >= tries) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it("tells the recipient what it is, and nothing of the case; the code comes when it is asked for, and opens once", async () => {
    const made = await share();
    expect([made.code, made.share.delivery?.state]).toEqual([undefined, "sent"]);
    const first = await mails.next();
    expect(first.to).toEqual([address]);
    expect(first.mail.from?.text).toBe('"Avonshire Police, Traffic" <evidence@police.example>');
    expect(first.mail.text).toContain(made.link);
    expect(first.mail.html).toContain(`<a href="${made.link}"`);
    for (const words of ["Dear Jane Smith", "watermarked", "nothing to install", made.share.id]) {
      expect(first.mail.text).toContain(words);
    }

    const visitor = new Recipient(made.link);
    const page = await visitor.get();
    expect(page.text).toContain("Send me the code");
    await visitor.head();
    expect(mails.taken.at(-1)).toBe(first);
    const answer = await ask(visitor);
    expect(answer.status).toBe(303);
    const told = await visitor.get(`../${String(answer.headers["location"])}`);
    expect(told.text).toContain("Look into your mail");
    const second = await mails.next();
    const code = codeForm.exec(second.mail.text ?? "")?.[0] ?? "";
    for (const { mail, raw } of [first, second]) {
      const said = `${mail.text} ${String(mail.html)} ${mail.subject}`;
      expect(said).not.toMatch(/01AB1234526|TST|hallway|R v Victim/);
      expect(raw).not.toMatch(/01AB1234526/);
    }
    expect(first.raw).not.toMatch(codeForm);
    expect((await visitor.give(code)).status).toBe(303);
    expect((await visitor.get()).text).toContain(exhibit.reference);
    expect((await new Recipient(made.link).give(code)).status).toBe(403);
    expect(await kinds(made)).toEqual([
      ...["mail-sent", "page", "code-asked", "code-sent", "session-started", "page", "code-wrong"],
    ]);
  });

  it("has codes of which only the newest works, for 15 minutes, and none that was not mailed", async () => {
    const made = await share();
    await mails.next();
    const visitor = new Recipient(made.link);
    for (const code of ["", "0", "0000-0000"]) expect((await visitor.give(code)).status).toBe(403);
    await ask(visitor);
    const old = await mailedCode();
    await ask(visitor);
    const newer = await mailedCode();
    expect((await visitor.give(old)).status).toBe(403);
    await clock.later(15 * minute, async () => {
      expect((await visitor.give(newer)).status).toBe(403);
    });
    const [one, two] = await Promise.all([1, 2].map(() => new Recipient(made.link).give(newer)));
    expect([one?.status, two?.status].sort()).toEqual([303, 403]);
  });

  it("is made though its address is refused, tells so, and can be handed over by hand then", async () => {
    mails.manner = { at: "RCPT", code: 550 };
    const made = await share();
    const delivery = { state: "refused", reply: "550 5.1.1", at: expect.any(String) };
    expect(made.share).toMatchObject({ state: "open", delivery });
    expect((await show(made)).delivery).toEqual(delivery);
    expect(await log(made)).toMatchObject([{ kind: "mail-refused", detail: "550 5.1.1" }]);
    expect((await log(made))[0]?.address).toBeUndefined();
    const renewed = await sharingOf(officer.session).renew(made.share.id, false, soon());
    expect([renewed.share.delivery, renewed.share.id]).toEqual([undefined, made.share.id]);
    expect((await new Recipient(renewed.link).give(renewed.code ?? "")).status).toBe(303);
  });

  it("goes on as it was handed over when it is renewed, unless that is said anew", async () => {
    const made = await share({ mail: false });
    const begun = mails.begun;
    const renew = (mail?: boolean): Promise<NewShare> =>
      sharingOf(officer.session).renew(made.share.id, mail, soon());
    const byHand = await renew();
    expect([byHand.code, mails.begun]).toEqual([expect.any(String), begun]);
    const byMail = await renew(true);
    expect([byMail.code, await mailedLink()]).toEqual([undefined, byMail.link]);
    expect((await renew(false)).code).toEqual(expect.any(String));
  });

  it("waits where the mail server asks to come again, through a restart, and arrives then", async () => {
    mails.manner = { at: "RCPT", code: 451 };
    const made = await share();
    expect(made.share.delivery).toMatchObject({ state: "waiting", reply: "451 4.1.1" });
    await server.restart();
    clock.aheadMs = minute;
    await until(made, "waiting", 2);
    mails.manner = "takes";
    clock.aheadMs = hour;
    expect(await mailedLink()).toBe(made.link);
    await until(made, "sent");
    clock.aheadMs = 0;
    expect(await kinds(made)).toEqual(["mail-delayed", "mail-sent"]);
  });

  it("is given up after hours without a mail server, and not tried for a share that ended", async () => {
    mails.manner = "drops";
    const [made, revoked] = [await share(), await share()];
    await sharingOf(officer.session).revoke(revoked.share.id, undefined, soon());
    expect((await show(revoked)).delivery).toBeUndefined();
    clock.aheadMs = 8 * hour;
    await until(made, "refused");
    clock.aheadMs = 0;
    expect((await show(made)).delivery?.reply).toMatch(
      /^given up: the mail server could not be reached/,
    );
    expect(await kinds(made)).toEqual(["mail-delayed", "mail-refused"]);
    expect(await kinds(revoked)).toEqual(["mail-delayed"]);
    const rows = await server.deps.database.selectFrom("share_mails").selectAll().execute();
    expect(rows.filter(({ sealed }) => sealed !== null)).toEqual([]);
  });

  it("keeps no link, code or address in the queue's own words, and none in the server's log", async () => {
    mails.manner = { at: "RCPT", code: 451 };
    const made = await share();
    const { code = "" } = await sharingOf(officer.session).renew(made.share.id, false, soon());
    const waiting = await share();
    const files = (await readdir(server.folder)).filter((name) =>
      name.startsWith("exhibit.sqlite"),
    );
    const stored = await Promise.all(files.map((name) => readFile(path.join(server.folder, name))));
    const token = (one: NewShare): string => one.link.split("/").at(-1) ?? "";
    for (const secret of [token(made), token(waiting), code]) {
      for (const bytes of stored) expect(bytes.includes(secret)).toBe(false);
      expect(server.log.join("")).not.toContain(secret);
    }
    expect(server.log.join("")).not.toMatch(/jane\.smith|cps\.example|Jane/);
    await sharingOf(officer.session).revoke(waiting.share.id, undefined, soon());
  });

  it("gets a new link by mail when it is renewed; the old one, its codes and its sessions are dead", async () => {
    const made = await share();
    await mails.next();
    const visitor = new Recipient(made.link);
    await ask(visitor);
    expect((await visitor.give(await mailedCode())).status).toBe(303);
    expect((await visitor.get("session")).status).toBe(204);
    await ask(new Recipient(made.link));
    const unused = await mailedCode();
    const renewed = await sharingOf(officer.session).renew(made.share.id, undefined, soon());
    expect(await mailedLink()).toBe(renewed.link);
    expect(renewed.link).not.toBe(made.link);
    const stranger = await new Recipient(`${server.url}/s/${newToken()}`).get();
    expect((await visitor.get()).text).toBe(stranger.text);
    for (const below of ["session", "events", `x/${exhibit.id}/1/picture.jpg`]) {
      expect([below, (await visitor.get(below)).status]).toEqual([below, 404]);
    }
    const again = new Recipient(renewed.link);
    again.cookie = visitor.cookie;
    expect((await again.get("session")).status).toBe(404);
    expect((await again.give(unused)).status).toBe(403);
    await ask(again);
    expect((await again.give(await mailedCode())).status).toBe(303);
    expect(await kinds(made)).toEqual(expect.arrayContaining(["share-renewed"]));
  });

  it("answers a wish for a code alike for every link, and mails one only where that is right", async () => {
    const [open, revoked, byHand] = [await share(), await share(), await share({ mail: false })];
    const expired = await share();
    await server.deps.database
      .updateTable("shares")
      .set({ expires_at: clock.now().toISOString() })
      .where("id", "=", expired.share.id)
      .execute();
    await sharingOf(officer.session).revoke(revoked.share.id, undefined, soon());
    const before = mails.taken.length;
    const links = [open, revoked, byHand, expired].map(({ link }) => link);
    links.push(`${server.url}/s/${newToken()}`, `${server.url}/s/%3Cscript%3E`);
    // A mail server that says nothing keeps nobody waiting.
    mails.manner = "silent";
    const looks: unknown[] = [];
    for (const link of links) {
      const visitor = new Recipient(link);
      for (let n = 0; n < 6; n += 1) {
        const begun = Date.now();
        const { status, headers } = await ask(visitor);
        expect([status, Date.now() - begun < 2000]).toEqual([303, true]);
        expect(headers["location"]).toBe(`${link.split("/").at(-1) ?? ""}?code=asked`);
        if (n === 0) mails.manner = "takes";
      }
      // Six of one link are enough for an hour; 30 of one client, on whatever links.
      const limited = await ask(visitor);
      const sent = await visitor.get("../" + `${link.split("/").at(-1) ?? ""}?code=asked`);
      looks.push([limited.status, limited.text, sent.text]);
      // One that comes too late would not be sent any more.
      while (mails.taken.length === before) await mails.next();
      if (looks.length === 3) clock.aheadMs = 61 * minute;
    }
    clock.aheadMs = 0;
    for (const one of looks) expect(one).toEqual(looks[0]);
    expect(looks[0]).toEqual([429, expect.stringContaining("too many tries"), expect.anything()]);
    expect((await log(byHand)).find(({ kind }) => kind === "code-asked")).toMatchObject({
      detail: expect.stringContaining("handed over by hand"),
    });
    const to = mails.taken.slice(before).map(({ mail }) => mail.subject);
    expect(new Set(to)).toEqual(new Set([`Your access code (${open.share.id})`]));
  });
});
