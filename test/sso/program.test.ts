import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { chromium, type Browser } from "playwright-core";
import { boxCertificates } from "../support/box/certificates.ts";
import { finish, serve, start, type ServingProgram } from "../support/built-program.ts";
import { chromiumPath } from "../support/chromium.ts";
import {
  groups,
  scope,
  startForceProvider,
  type ForceProvider,
} from "../support/force-provider.ts";
import { roleMap } from "../support/sso-server.ts";

const smith = "planted.smith@force.example";
const oid = "aaaaaaaa-1111-4222-8333-444444444444";
let provider: ForceProvider;
let browser: Browser;
let folder: string;
let serving: ServingProgram;
let serverKey: string;

beforeAll(async () => {
  const { ca, cert, key } = boxCertificates();
  provider = await startForceProvider({ cert, key });
  provider.accounts.set(smith, { oid, groups: [groups.officers] });
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-sso-"));
  await writeFile(path.join(folder, "ca.pem"), ca);
  await writeFile(path.join(folder, "roles.json"), JSON.stringify(roleMap));
  browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox"] });
  serving = await serve(folder, [
    ...["--oidc-issuer", provider.issuer, "--oidc-client-id", provider.clientId],
    ...["--oidc-scope", scope, "--role-map", path.join(folder, "roles.json")],
    ...["--ca-file", path.join(folder, "ca.pem"), "--invitation-file", path.join(folder, "invite")],
  ]);
  const { thumbprint } = (
    (await (await fetch(`${serving.url}/.well-known/exhibit-keys.json`)).json()) as {
      keys: { kid: string }[];
    }
  ).keys.map(({ kid }) => ({ thumbprint: kid }))[0] ?? { thumbprint: "" };
  serverKey = `--server-key=${thumbprint}`;
});
afterAll(async () => {
  await browser.close();
  await serving.stop();
  await provider.close();
  await rm(folder, { recursive: true });
});

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function as(who: string, ...argv: string[]): Promise<Ran> {
  const env = { EXHIBIT_CA_FILE: path.join(folder, "ca.pem") };
  return finish(start(path.join(folder, who), argv, env));
}

/** Logs in as the person at the browser that the program names the page to. */
async function loginOnPage(who: string, ...argv: string[]): Promise<Ran> {
  const env = { EXHIBIT_CA_FILE: path.join(folder, "ca.pem") };
  const child = start(path.join(folder, who), argv, env);
  child.stdin.end();
  const closed = once(child, "close") as Promise<[number | null]>;
  const out = text(child.stdout);
  let err = "";
  for await (const line of createInterface({ input: child.stderr })) {
    err += `${line}\n`;
    const address = /https:\/\/\S+\/auth\?[^\s"]+/.exec(line)?.[0];
    if (address === undefined) continue;
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(address);
    await page.fill("input[name=login]", smith);
    await page.fill("input[name=password]", "any");
    await page.click("button[type=submit]");
    await page.click("button[type=submit]");
    await page.waitForURL(/^http:\/\/localhost/);
    await context.close();
  }
  return { code: (await closed)[0], out: await out, err };
}

const json = (ran: Ran): Record<string, unknown> => JSON.parse(ran.out) as Record<string, unknown>;

it("lets an officer in through a private authority, names no secret, and hands a leaver's shares on", async () => {
  const said: Ran[] = [];
  const step = async (ran: Promise<Ran>): Promise<Ran> => {
    said.push(await ran);
    return ran;
  };
  const unagreed = await step(as("officer", "login", serving.url));
  expect([unagreed.code, unagreed.err]).toEqual([2, expect.stringContaining("--server-key")]);
  const wrongKey = await step(
    as("officer", "login", serving.url, `--server-key=${"A".repeat(43)}`),
  );
  expect(wrongKey.code).toBe(4);
  const login = await step(loginOnPage("officer", "login", serving.url, serverKey, "--no-browser"));
  expect([login.code, login.out]).toEqual([0, `local  ${serving.url}  officer  Example Police\n`]);
  const who = await step(as("officer", "whoami", "--json"));
  expect(json(who)).toMatchObject({
    identity: { role: "officer", enrolledBy: "provider" },
    signedInBy: { issuer: provider.issuer },
  });
  const sick = await step(as("officer", "doctor", "sso", "local", "--json"));
  expect([sick.code, sick.err]).toEqual([0, ""]);
  expect(json(sick)["findings"]).toContainEqual(
    expect.objectContaining({ id: "tls", verdict: "unknown" }),
  );

  const file = path.join(folder, "note.txt");
  await writeFile(file, "an officer's note");
  const sent = await step(as("officer", "upload", file, "--case", "01AB1234526", "--json"));
  expect(sent.code).toBe(0);
  const recipient = path.join(folder, "recipient.json");
  await writeFile(recipient, JSON.stringify({ name: "Jo Bloggs", email: "jo@cps.example" }));
  const address = ["01AB1234526:", (await as("officer", "list")).out.trim().split(/\s+/)[0]];
  const list = json(await as("officer", "list", "--json")) as {
    exhibits: { id: string }[];
  };
  expect(address.length).toBe(2);
  const share = await step(
    as(
      "officer",
      "share",
      "create",
      list.exhibits[0]?.id ?? "",
      "--recipient",
      recipient,
      "--expires",
      "7d",
      "--access",
      "original",
      "--json",
    ),
  );
  expect(share.code).toBe(0);

  const invite = path.join(folder, "invite");
  const child = start(path.join(folder, "admin"), ["login", serving.url, "--invite-stdin"]);
  child.stdin.write(await readFile(invite));
  expect((await finish(child)).code).toBe(0);
  const heir = (await (
    await fetch(`${serving.url}/v1/identities/me`, {
      headers: { authorization: `Bearer ${await provider.token()}` },
    })
  ).json()) as { id: string };
  const identities = json(await step(as("admin", "identity", "report", "--json"))) as {
    identities: { id: string; openShares: number; providerSubject?: string }[];
  };
  const leaver = identities.identities.find(({ providerSubject }) => providerSubject === oid);
  expect(leaver).toMatchObject({ openShares: 1, machines: 1, enrolledBy: "provider" });
  await step(as("admin", "identity", "revoke", leaver?.id ?? ""));
  const left = await step(as("admin", "identity", "report"));
  expect(left.err).toContain(`exhibit share list --of ${leaver?.id ?? ""}`);
  expect((await step(as("officer", "list"))).code).toBe(4);
  const shares = json(await as("admin", "share", "list", "--of", leaver?.id ?? "", "--json")) as {
    shares: { id: string }[];
  };
  const id = shares.shares[0]?.id ?? "";
  const handed = await step(as("admin", "share", "reassign", id, "--to", heir.id));
  expect([handed.code, handed.out]).toEqual([0, `${id}  ${heir.id}\n`]);
  const custody = await as("admin", "log", list.exhibits[0]?.id ?? "", "--json");
  expect(custody.out).toContain(`"reassignedTo":"${heir.id}"`);
  await step(as("admin", "identity", "restore", leaver?.id ?? ""));
  // Let in again, with the same token; but the key that may have been stolen signs nothing more.
  await writeFile(file, "another note");
  const unsigned = await step(as("officer", "upload", file, "--case", "01AB1234526", "--json"));
  expect([unsigned.code, unsigned.out]).toEqual([
    6,
    expect.stringContaining("integrity.signature"),
  ]);
  expect((await step(as("officer", "logout", "local"))).code).toBe(0);

  const kept = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = kept.filter((entry) => entry.isFile() && entry.name !== "keys.json");
  const written = await Promise.all(
    files.map((entry) => readFile(path.join(entry.parentPath, entry.name), "latin1")),
  );
  const all = [...said.map(({ out, err }) => out + err), ...written].join("\n");
  for (const secret of [smith, "planted", "eyJhbGciOiJSUzI1NiI"]) expect(all).not.toContain(secret);
});

it("signs a machine in that nobody sits at, with a key that an admin enrolled", async () => {
  const key = path.join(folder, "machine.json");
  const made = await as("machine", "key", "create", key, "--json");
  expect([made.code, made.err]).toEqual([0, ""]);
  expect((await as("machine", "key", "create", key, "--json")).out).toBe(made.out);
  const login = ["login", serving.url, "--key-file", key, serverKey, "--json"];
  const early = await as("machine", ...login);
  expect([early.code, early.err]).toEqual([4, expect.stringContaining("auth.identity-unknown")]);
  const enrolled = await as(
    "admin",
    "identity",
    "enrol",
    `${key}.pub`,
    "--role",
    "partner",
    "--org",
    "Control Room",
    "--json",
  );
  expect(enrolled.code).toBe(0);
  expect(enrolled.out).toContain(serverKey.slice("--server-key=".length));
  expect(json(await as("machine", ...login))).toMatchObject({
    identity: { role: "partner", organisation: "Control Room", enrolledBy: "key" },
  });
  const note = path.join(folder, "call.txt");
  await writeFile(note, "a call");
  const upload = ["upload", note, "--case", "01AB1234599", "--key-file", key];
  expect((await as("machine", ...upload)).code).toBe(0);
  expect((await as("machine", "logout", "local", "--key-file", key)).code).toBe(0);
  expect((await as("machine", ...login)).code).toBe(4);
  const wrong = await as("admin", "identity", "enrol", key, "--role", "partner", "--org", "X");
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("FILE.pub")]);
});
