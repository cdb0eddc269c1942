import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { MailFate, OutgoingMail } from "../../src/evidence/ports/mail.ts";
import { mailFrom, smtpAddress } from "../../src/evidence/smtp-address.ts";
import { smtpMail, type SmtpSettings } from "../../src/platform/smtp.ts";
import { freePort } from "../support/free-port.ts";
import { startMailServer, type MailServer, type Manner } from "../support/smtp.ts";

jest.setTimeout(60_000);

const mail: OutgoingMail = {
  id: "m1",
  to: { name: "Jane Smith", address: "jane.smith@cps.example" },
  fromName: "Avonshire Police",
  subject: "Subject",
  text: "text\n",
  html: "<p>text</p>",
};

function soon(): AbortSignal {
  return AbortSignal.timeout(30_000);
}

describe("mail through a real mail server", () => {
  let server: MailServer;
  let withTls: MailServer;
  let plain: MailServer;

  beforeAll(async () => {
    server = await startMailServer();
    withTls = await startMailServer({ secure: true });
    plain = await startMailServer({ withoutTls: true });
  });
  afterAll(async () => {
    for (const one of [server, withTls, plain]) await one.stop();
  });

  function settings(changes: Partial<SmtpSettings> = {}, to = server): SmtpSettings {
    const scheme = to === withTls ? "smtps" : "smtp";
    return {
      address: smtpAddress(`${scheme}://${server.user}@127.0.0.1:${to.port}`),
      password: server.password,
      from: server.user,
      caPem: server.ca,
      ...changes,
    };
  }

  it.each([
    ["STARTTLS", () => server],
    ["TLS from the first byte", () => withTls],
  ])("goes over %s, as its user, with text and HTML", async (_, to) => {
    expect(await smtpMail(settings({}, to())).send(mail, soon())).toEqual({ state: "sent" });
    const taken = await to().next();
    expect(taken).toMatchObject({ secure: true, from: server.user, to: [mail.to.address] });
    expect(taken.mail.messageId).toBe("<m1@police.example>");
    expect(taken.mail.headers.get("auto-submitted")).toBe("auto-generated");
    expect([taken.mail.text, taken.mail.html]).toEqual([
      expect.stringContaining("text"),
      expect.stringContaining("<p>text</p>"),
    ]);
  });

  const names = [
    "Smith, Jane",
    'Jane "JS" Smith <boss@police.example>',
    "Zoë Łukasz سارة",
    "Jane\r\nBcc: thief@evil.example\r\n\r\nHello",
    "Jane\u2028Bcc: thief@evil.example",
    `${"x".repeat(75)} ${"ö".repeat(40)}`,
    "=?utf-8?Q?=0D=0ABcc:_thief@evil.example?=",
    "jane@cps.example, thief@evil.example",
  ];
  it.each(names)(
    "is for one person with one set of headers, whatever their name is: %j",
    async (name) => {
      const sent = { ...mail, fromName: name, subject: name, to: { ...mail.to, name } };
      expect((await smtpMail(settings()).send(sent, soon())).state).toBe("sent");
      const taken = await server.next();
      expect([taken.to, taken.from]).toEqual([[mail.to.address], server.user]);
      expect(taken.mail.headerLines.map(({ key }) => key).sort()).toEqual(
        [
          ...["auto-submitted", "content-type", "date", "from", "message-id", "mime-version"],
          ...["subject", "to", "x-auto-response-suppress"],
        ].sort(),
      );
      const [to] = [taken.mail.to ?? []].flat();
      expect(to?.value.map(({ address }) => address)).toEqual([mail.to.address]);
      expect(taken.mail.from?.value.map(({ address }) => address)).toEqual([server.user]);
    },
  );

  const fates: [string, Manner, MailFate][] = [
    ["an unknown address", { at: "RCPT", code: 550 }, { state: "refused", reply: "550 5.1.1" }],
    [
      "what it finds to be spam",
      { at: "DATA", code: 554 },
      { state: "refused", reply: "554 5.1.1" },
    ],
    ["a greylisted sender", { at: "RCPT", code: 451 }, { state: "later", reply: "451 4.1.1" }],
    ["a full mailbox", { at: "DATA", code: 452 }, { state: "later", reply: "452 4.1.1" }],
    [
      "everybody, by breaking off",
      "drops",
      { state: "later", reply: "the mail server could not be reached, or broke off" },
    ],
  ];
  it.each(fates)(
    "tells whether a server refuses %s for good or for now, never in its words",
    async (_, manner, fate) => {
      server.manner = manner;
      try {
        expect(await smtpMail(settings()).send(mail, soon())).toEqual(fate);
      } finally {
        server.manner = "takes";
      }
    },
  );

  it("is later where nobody listens, the password is wrong, or the connection cannot be protected", async () => {
    const unheard = smtpAddress(`smtp://127.0.0.1:${await freePort()}`);
    // The same loopback address, but not by a name that we take for this computer.
    const elsewhere = smtpAddress(`smtp://[::ffff:127.0.0.1]:${plain.port}`);
    expect(elsewhere.requireStartTls).toBe(true);
    const rows: [Partial<SmtpSettings>, MailServer, RegExp][] = [
      [{ address: unheard }, server, /could not be reached/],
      [{ password: "wrong" }, server, /did not take user and password: 535/],
      [{ caPem: undefined }, server, /certificate is not trusted/],
      [{ caPem: undefined }, withTls, /certificate is not trusted/],
      [{ address: elsewhere }, plain, /could not be protected/],
    ];
    for (const [changes, to, reply] of rows) {
      const fate = await smtpMail(settings(changes, to)).send(mail, soon());
      expect(fate).toEqual({ state: "later", reply: expect.stringMatching(reply) });
    }
    expect([plain.begun, withTls.begun]).toEqual([0, 1]);
  });

  it("is let go at once when the server stops, however silent the mail server is", async () => {
    server.manner = "silent";
    const stop = new AbortController();
    const begun = server.begins();
    const sending = smtpMail(settings()).send(mail, stop.signal);
    await begun;
    stop.abort(new Error("stopping"));
    await expect(sending).rejects.toThrow("stopping");
    server.manner = "takes";
  });

  it("is later where it takes too long in all", async () => {
    server.manner = "silent";
    const fate = await smtpMail(settings(), 500).send(mail, soon());
    expect(fate).toEqual({ state: "later", reply: "the mail server was too slow" });
    server.manner = "takes";
  });
});

describe("the address of a mail server", () => {
  it.each([
    [
      "smtps://a@b.example@h.example",
      { host: "h.example", port: 465, secure: true, user: "a@b.example" },
    ],
    ["smtps://a%40b.example@h:999/", { host: "h", port: 999, secure: true, user: "a@b.example" }],
    ["smtp://h.example", { port: 587, secure: false, requireStartTls: true, user: undefined }],
    ["smtp://127.0.0.1:25", { requireStartTls: false }],
    ["smtp://[::1]:25", { host: "::1", requireStartTls: false }],
  ])("is read from %s", (text, address) => {
    expect(smtpAddress(text)).toMatchObject(address);
  });

  it.each([
    ["http://h", "not the address"],
    ["smtp:h", "not the address"],
    ["smtps://", "not the address"],
    ["smtps://h/path", "not the address"],
    ["smtps://h?x=1", "not the address"],
    ["smtps://user:hunter2@h", "must not hold a password"],
    ["smtps://a@b:hunter2@h", "must not hold a password"],
  ])("is not %s, and no password is repeated", (text, words) => {
    const read = (): unknown => smtpAddress(text);
    expect(read).toThrow(words);
    expect(read).not.toThrow(/hunter2/);
  });

  it("gives the sender's address where its user is one", () => {
    const address = smtpAddress("smtps://a@b.example@h");
    expect(mailFrom(undefined, address)).toBe("a@b.example");
    expect(mailFrom("c@d.example", address)).toBe("c@d.example");
    expect(() => mailFrom(undefined, smtpAddress("smtps://relay@h"))).toThrow(
      "--mail-from is missing",
    );
    expect(() => mailFrom("x\r\ny@z.example", address)).toThrow("not an e-mail address");
  });
});
