import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { boxUrl, wrongRequests, signInOnPage } from "../support/box-person.ts";
import {
  applicationEnv,
  keptInFile,
  runExhibit,
  runLogin,
  type Ran,
} from "../support/box-program.ts";
import { connectProxy } from "../support/box/connect-proxy.ts";
import { startBox, type Box } from "../support/box/box.ts";
import { atTerminal, start } from "../support/built-program.ts";
import { newMachine } from "../support/cli.ts";

let box: Box;
let folder: string;
beforeAll(async () => {
  box = await startBox();
});
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-box-sign-in-"));
  box.world.tokens.revokeAll(box.users.officer);
});
afterEach(() => rm(folder, { recursive: true }));
afterAll(async () => {
  expect([box.unsound, box.faults.pending, wrongRequests(box)]).toEqual([[], 0, []]);
  await box.close();
});

/** All that lies in the machine's folders, but for the key file, which is for secrets. */
async function everythingWritten(): Promise<string> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = files
    .filter((entry) => entry.isFile() && entry.name !== "keys.json")
    .map((entry) => readFile(path.join(entry.parentPath, entry.name), "latin1"));
  return (await Promise.all(texts)).join("\n");
}

describe("a person at the command line", () => {
  it("adds a store, logs in, sees who they are, and logs out; nothing secret is said or written", async () => {
    const url = boxUrl(box);
    const { officer } = box.users;
    const said: Ran[] = [];
    const step = async (ran: Promise<Ran>): Promise<Ran> => {
      said.push(await ran);
      return ran;
    };
    const added = await step(runExhibit(folder, ["store", "add", "box", url]));
    expect([added.code, added.err]).toEqual([
      0,
      "It is the default store. Next: exhibit login box\n",
    ]);
    const before = await step(runExhibit(folder, ["whoami"]));
    expect([before.code, before.err]).toEqual([
      4,
      "error: Nobody is signed in to box on this computer.\nSign in: exhibit login box\n",
    ]);
    const loggedIn = await step(runLogin(folder, box, ["box", "--no-browser"]));
    expect([loggedIn.code, loggedIn.out]).toEqual([0, `box  ${url}  ${officer.login}\n`]);
    expect(loggedIn.err).toContain(`✔ This machine is signed in as ${officer.login}.`);
    const document = await keptInFile(folder, url);

    const who = await step(runExhibit(folder, ["whoami", "--store", "box", "--json"]));
    expect(JSON.parse(who.out)).toMatchObject({
      schema: "exhibit.whoami/1",
      store: "box",
      url,
      account: { id: officer.id, login: officer.login },
    });
    const out = await step(runExhibit(folder, ["logout", "box", "--json"]));
    expect(JSON.parse(out.out)).toEqual({
      schema: "exhibit.logout/1",
      url,
      wasEnrolled: true,
      login: "ended",
    });
    expect(box.world.tokens.refreshTokensOf(officer)).toBe(0);
    expect(await keptInFile(folder, url)).toEqual({});
    expect((await step(runExhibit(folder, ["logout", "box"]))).err).toBe(
      `This machine was not signed in at ${url}.\n`,
    );
    expect((await step(runExhibit(folder, ["whoami"]))).code).toBe(4);

    expect((await step(runLogin(folder, box, ["box", "--no-browser"]))).code).toBe(0);
    const json = { error: "invalid_client", error_description: "The secret is another one" };
    box.faults.next({ path: /revoke$/, answer: { status: 400, json } });
    const forgotten = await step(runExhibit(folder, ["logout", "box"]));
    expect([forgotten.code, forgotten.out]).toEqual([3, ""]);
    expect(forgotten.err).toContain("Box refused to end it");
    expect(await keptInFile(folder, url)).toEqual({});

    const words = said.map((ran) => `${ran.out}${ran.err}`).join("\n");
    for (const everywhere of [words, await everythingWritten()]) {
      for (const secret of [
        box.app.clientSecret,
        document["accessToken"],
        document["refreshToken"],
      ]) {
        expect(secret).toMatch(/^.{20,}$/);
        expect(everywhere).not.toContain(secret);
      }
      expect(everywhere).not.toContain(officer.name);
    }
    expect(await everythingWritten()).not.toContain(officer.login);
  });

  it("logs in by URL, secret from stdin, page named in JSON; the address may name whom to act as", async () => {
    const { admin, officer } = box.users;
    const url = boxUrl(box, "0", `&as-user=${officer.id}`);
    const argv = ["login", url, "--client-id", box.app.clientId, "--secret-stdin", "--json"];
    const child = start(folder, argv);
    child.stdin.write(`${box.app.clientSecret}\n`);
    child.stdin.end();
    const out = text(child.stdout);
    const lines: unknown[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      const told = JSON.parse(line) as { type: string; url: string };
      lines.push(told.type);
      await signInOnPage(told.url, { user: admin.id });
    }
    expect(lines).toEqual(["sign-in-page"]);
    expect(JSON.parse(await out)).toMatchObject({
      store: "box",
      account: { login: admin.login },
      actsAs: { id: officer.id, login: officer.login },
    });
    const who = await runExhibit(folder, ["whoami"]);
    expect(who.out).toMatch(new RegExp(`Account +${admin.login} \\(${admin.id}\\)`));
    expect(who.out).toMatch(new RegExp(`Acts as +${officer.login} \\(${officer.id}\\)`));
  });

  it("at a terminal has the page opened in the browser, unless --no-browser", async () => {
    const bin = path.join(folder, "bin");
    await mkdir(bin);
    const opened = path.join(folder, "opened");
    await writeFile(
      path.join(bin, "xdg-open"),
      `#!/bin/sh\nprintf '%s' "$1" > '${opened}.new' && mv '${opened}.new' '${opened}'\n`,
    );
    await chmod(path.join(bin, "xdg-open"), 0o755);
    await runExhibit(folder, ["store", "add", "box", boxUrl(box)]);
    const PATH = `${bin}:${process.env["PATH"] ?? ""}`;
    const terminal = atTerminal(folder, ["login", "box"], { ...applicationEnv(box), PATH });
    await terminal.shows("within 5 minutes:");
    await terminal.shows("code_challenge_method=S256");
    let page: string | undefined;
    while (page === undefined) page = await readFile(opened, "utf8").catch(() => undefined);
    expect(await signInOnPage(page)).toBe(200);
    await terminal.shows("This machine is signed in as");
    expect(await terminal.code).toBe(0);

    await rm(opened);
    const shy = atTerminal(folder, ["login", "box", "--no-browser"], {
      ...applicationEnv(box),
      PATH,
    });
    await shy.shows("within 5 minutes:");
    await shy.shows("code_challenge_method=S256");
    shy.type("\u0003");
    expect(await shy.code).toBe(130);
    expect(await readdir(folder)).not.toContain("opened");
  });

  it("signs an unattended job in by a file, or by credentials", async () => {
    const url = boxUrl(box);
    const file = path.join(folder, "config.json");
    await writeFile(file, JSON.stringify(box.jwtConfig()));
    const byKey = await runExhibit(folder, ["login", url, "--box-jwt", file, "--json"]);
    expect(JSON.parse(byKey.out)).toMatchObject({ account: { login: box.users.service.login } });
    await rm(file);
    const subject = `user:${box.users.admin.id}`;
    expect((await runExhibit(folder, ["whoami", "--json"])).out).toContain(box.users.service.login);
    const byCredentials = await runExhibit(
      folder,
      ["login", url, "--box-ccg", subject],
      applicationEnv(box),
    );
    expect(byCredentials.out).toBe(`box  ${url}  ${box.users.admin.login}\n`);
    expect([byKey.err, byCredentials.code]).toEqual(["", 0]);
    const { clientSecret, jwt } = box.app;
    const all = [byKey.out, byCredentials.out, byCredentials.err, await everythingWritten()].join();
    for (const secret of [clientSecret, jwt.passphrase, jwt.encryptedPrivateKey.slice(60, 90)]) {
      expect(all).not.toContain(secret);
    }
  });

  it("goes through the proxy, and trusts the certificates that it is told to", async () => {
    const real = await startBox({ tls: true });
    const proxy = await connectProxy(real);
    const files = { config: path.join(folder, "config.json"), ca: path.join(folder, "ca.pem") };
    await writeFile(files.config, JSON.stringify(real.jwtConfig()));
    await writeFile(files.ca, real.caPem ?? "");
    const env = { HTTPS_PROXY: proxy.url, NO_PROXY: "" };
    const argv = ["login", "box:0", "--box-jwt", files.config];
    const distrustful = await runExhibit(folder, argv, env);
    expect([distrustful.code, distrustful.out]).toEqual([9, ""]);
    expect(distrustful.err).toContain("The certificate of api.box.com is not one that");
    const ran = await runExhibit(folder, [...argv, "--ca-file", files.ca], env);
    expect([ran.code, ran.out]).toEqual([0, `box  box:0  ${real.users.service.login}\n`]);
    expect(new Set(proxy.asked)).toEqual(new Set(["api.box.com:443"]));
    await proxy.close();
    await real.close();
  });

  const misuses: [readonly string[], string][] = [
    [["login", "box"], "--client-id is missing."],
    [["login", "box", "--client-id", "abc"], "--secret-stdin is missing."],
    [["login", "box", "--client-id", "abc", "--secret-stdin"], "No client secret came on stdin."],
    [["login", "box", "--client-id", "a b"], "--client-id must be a client id of Box"],
    [["login", "box", "--invite-stdin"], "--invite-stdin is for an exhibit server only."],
    [["login", "box", "--box-ccg", "company:1"], "--box-ccg must be enterprise:ID or user:ID."],
    [["login", "box", "--box-ccg", "user:1", "--box-jwt", "x"], "two ways of signing in"],
    [["login", "box", "--box-user", "1"], "--box-user goes with --box-jwt."],
    [["login", "box", "--box-jwt", "x", "--box-user", "me"], "--box-user must be the id"],
    [["login", "box", "--box-jwt", "x", "--client-id", "abc"], "names the application"],
    [["login", "box", "--box-jwt", "/nowhere.json"], "/nowhere.json cannot be read."],
    [["login", "box", "--box-jwt", "-"], "is not the settings of an application of Box."],
    [
      ["login", "http://127.0.0.1:9", "--client-id", "abc"],
      "--client-id is for a store in Box only.",
    ],
    [["login", "bxo"], 'No store is called "bxo".'],
    [["store", "add", "other", "box:me"], '"box:me" is not the address of a store in Box.'],
  ];
  it("is told what is wrong with what they typed", async () => {
    const machine = await newMachine();
    await machine.exhibit(["store", "add", "box", boxUrl(box)]);
    for (const [argv, words] of misuses) {
      const ran = await machine.exhibit(argv);
      expect([argv, ran.out, ran.err]).toEqual([
        argv,
        "",
        expect.stringContaining(words) as unknown,
      ]);
      expect([2, 5]).toContain(ran.code);
    }
    await rm(machine.folder, { recursive: true });
  });
});
