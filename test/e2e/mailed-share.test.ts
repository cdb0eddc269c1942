import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, jest } from "@jest/globals";
import { serve } from "../support/built-program.ts";
import { newMachine } from "../support/cli.ts";
import { jpegPhoto } from "../support/media.ts";
import { Recipient } from "../support/recipient.ts";
import { startMailServer } from "../support/smtp.ts";

jest.setTimeout(120_000);

it("exhibit serve with a mail server: the officer is told what went where, and shown no code", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "exhibit-mailed-"));
  const file = (name: string): string => path.join(folder, name);
  const mails = await startMailServer();
  await writeFile(file("ca.pem"), mails.ca);
  await writeFile(file("password"), `${mails.password}\n`);
  await writeFile(file("hall.jpg"), await jpegPhoto());
  const server = await serve(folder, [
    ...["--data", file("data"), "--invitation-file", file("invitation"), "--organisation", "Avon"],
    ...["--smtp-url", `smtp://${mails.user}@127.0.0.1:${mails.port}`],
    ...["--smtp-password-file", file("password"), "--smtp-ca-file", file("ca.pem")],
  ]);
  const officer = await newMachine();
  try {
    const input = await readFile(file("invitation"), "utf8");
    await officer.exhibit(["login", server.url, "--invite-stdin"], { input });
    const upload = ["upload", file("hall.jpg"), "--case", "01AB1234526", "--ref", "GN/1"];
    expect((await officer.exhibit(upload)).code).toBe(0);
    const create = [
      ...["share", "create", "01AB1234526:GN/1", "--recipient", "-", "--expires", "7d"],
    ];
    const to = { input: "Jane Smith <jane@cps.example>" };
    const made = await officer.exhibit(create, to);
    expect([made.code, made.err]).toEqual([0, expect.not.stringContaining("Access code")]);
    expect(made.err).toContain("The link went by mail to jane@cps.example.");
    expect((await mails.next()).mail.text).toContain(made.out.trim());
    const id = /Share (S\w{9}):/.exec(made.err)?.[1] ?? "";

    mails.manner = { at: "RCPT", code: 550 };
    const refused = await officer.exhibit(["share", "renew", id]);
    expect(refused.err).toContain("did not take the mail to jane@cps.example (550 5.1.1)");
    expect(refused.err).toContain(`exhibit share renew ${id} --no-mail`);
    expect((await officer.exhibit(["share", "show", id])).out).toMatch(
      /Mail +not delivered .* \(550 5\.1\.1\)/,
    );
    expect((await officer.exhibit(["share", "list"])).out).toMatch(/ refused$/m);
    mails.manner = { at: "RCPT", code: 451 };
    const waits = await officer.exhibit(["share", "renew", id, "--json"]);
    expect(waits.json()).toMatchObject({
      schema: "exhibit.share-renewed/1",
      share: { delivery: { state: "waiting", reply: "451 4.1.1" } },
    });

    const byHand = await officer.exhibit(["share", "renew", id, "--no-mail", "--json"]);
    const { link, code } = byHand.json() as { link: string; code: string };
    expect((await new Recipient(link).give(code)).status).toBe(303);
    const log = (await officer.exhibit(["share", "log", id])).out;
    for (const words of ["link mailed", "mail refused", "mail delayed", "new link and code"]) {
      expect(log).toContain(words);
    }
    const custody = (await officer.exhibit(["log", "01AB1234526:GN/1"])).out;
    expect(custody.match(/share-renewed/g)).toHaveLength(3);
    await server.stop();
    // Not at a terminal, its log goes there, too.
    const said = await server.err;
    expect(said).toContain('"route":"/v1/shares/:id/renew"');
    expect(said).not.toMatch(/jane|cps\.example|p%40ss/i);
  } finally {
    await server.stop();
    await mails.stop();
    await rm(folder, { recursive: true });
    await rm(officer.folder, { recursive: true });
  }
});
