import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import Database from "libsql";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { secretFile } from "../../src/platform/secrets/secret-file.ts";
import { openSession } from "../../src/stores/server/session.ts";
import { finish, serve, start } from "../support/built-program.ts";
import { jpegPhoto } from "../support/media.ts";
import { Recipient } from "../support/recipient.ts";
import { newMachine, soon } from "../support/server.ts";
import { startMailServer, type MailServer } from "../support/smtp.ts";
import { filesIn, traces } from "../support/traces.ts";

/** What people and systems must never find in a log, each string nowhere else on this machine. */
const people = {
  recipient: "Zebedee Quillfeather",
  address: "zebedee.quillfeather@cps.example",
  victim: "Wilhelmina Oxbottom",
  producer: "Peregrine Mudge-Lacey",
  fileName: "Marmaduke Thistlewick",
  phone: "07700900123",
  purpose: "hearing of Ottoline Vexbury",
};
const secrets: Record<string, string> = {
  passphrase: "planted passphrase of a backup",
  wrongCode: "PLANTED-WRONG-CODE",
  wrongBearer: "planted.bearer.0000000000000000",
  inUrl: "planted-in-the-url-000000",
  inHeader: "planted-in-a-header-000000",
  inBody: "planted-in-a-body-000000",
  inRawBytes: "planted-in-raw-bytes-000000",
  wrongToken: "plantedTokenOfNoShare00",
};

const refusals = [
  { at: "RCPT", code: 550 },
  { at: "RCPT", code: 451 },
  { at: "DATA", code: 554 },
] as const;

let root: string;
let mails: MailServer;
let server: Awaited<ReturnType<typeof serve>>;
/** All that commands have said on stderr, and all that `--json` documents held that carry no secret by purpose. */
const said: string[] = [];

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "exhibit-planted-"));
  mails = await startMailServer();
  secrets["mail password"] = mails.password;
  // As it goes over the line (RFC 4616, and the older LOGIN).
  const plain = `\0${mails.user}\0${mails.password}`;
  secrets["mail password, PLAIN"] = Buffer.from(plain).toString("base64");
  secrets["mail password, LOGIN"] = Buffer.from(mails.password).toString("base64");
  await writeFile(path.join(root, "mail-password"), mails.password);
  await writeFile(path.join(root, "mail-ca.pem"), mails.ca);
  const smtp = `127.0.0.1:${mails.port}`;
  server = await serve(root, [
    ...["--data", data(), "--organisation", "Example Police"],
    ...["--smtp-url", `smtp://${mails.user}@${smtp}`, "--metrics-address", "127.0.0.1:0"],
    ...["--smtp-password-file", path.join(root, "mail-password")],
    ...["--smtp-ca-file", path.join(root, "mail-ca.pem")],
  ]);
}, 60_000);
afterAll(async () => {
  await server.stop();
  await mails.stop();
  await rm(root, { recursive: true, force: true });
});

const data = (): string => path.join(root, "data");
const machine = (name: string): string => path.join(root, name);

async function exhibit(
  who: string,
  argv: readonly string[],
  { input = "", code = 0 } = {},
): Promise<string> {
  const child = start(machine(who), argv);
  child.stdin.write(input);
  const ran = await finish(child);
  said.push(ran.err);
  expect({ argv, code: ran.code, err: ran.err }).toMatchObject({ code });
  return ran.out;
}

/** Raw bytes that no client sends, and whatever comes back. */
async function sendRaw(bytes: string): Promise<void> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname).on("error", () => undefined);
  socket.end(bytes);
  socket.resume();
  await once(socket, "close");
}

async function enrolEveryone(): Promise<void> {
  const first = await readFile(path.join(data(), "first-admin-invitation.txt"), "utf8");
  secrets["invitation"] = first.trim().split(".")[1] ?? "";
  const wrong = first.trim().replace(/^ex1\.(.{22})/, "ex1.AAAAAAAAAAAAAAAAAAAAAA");
  secrets["wrongInvitation"] = wrong;
  const login = ["login", server.url, "--invite-stdin"];
  await exhibit("admin", login, { input: wrong, code: 4 });
  await exhibit("admin", login, { input: first });
  const argv = ["invite", "create", "--role", "partner", "--org", "Garage North", "--json"];
  const { code } = JSON.parse(await exhibit("admin", argv)) as { code: string };
  secrets["secondInvitation"] = code.split(".")[1] ?? "";
  await exhibit("garage", login, { input: code });
  await exhibit("garage", login, { input: code, code: 4 });
  for (const who of ["admin", "garage"]) {
    const keys = await readFile(path.join(machine(who), "keys.json"), "utf8");
    secrets[`key of ${who}`] = /\\"d\\":\\"([^"\\]{43})/.exec(keys)?.[1] ?? "";
    secrets[`registration of ${who}`] = /\\"token\\":\\"([^"\\]+)/.exec(keys)?.[1] ?? "";
  }
  const own = await readFile(path.join(data(), "server-key.json"), "utf8");
  secrets["key of the server"] = /"d": "([^"]{43})"/.exec(own)?.[1] ?? "";
}

async function uploadAndShare(): Promise<void> {
  const footage = path.join(root, "footage");
  await mkdir(footage);
  const name = `${people.fileName} ${people.phone}.jpg`;
  await writeFile(path.join(footage, name), await jpegPhoto());
  const named = ["--title", people.victim, "--producer", people.producer, "--oic", people.victim];
  const sending = ["--case", "01AB1234526", "--ref", "ABC/1", ...named];
  await exhibit("garage", ["upload", footage, ...sending, "--dry-run"]);
  await exhibit("garage", ["upload", footage, ...sending]);
  // Something else under the same reference, what is not there, and what must not be.
  await writeFile(path.join(footage, name), "changed since");
  await exhibit("garage", ["upload", footage, ...sending, "--source-id", "x"], { code: 8 });
  await exhibit("garage", ["upload", path.join(root, `${people.victim}.mp4`), "--case", "1"], {
    code: 5,
  });
  const recipient = JSON.stringify({ name: people.recipient, email: people.address });
  const argv = ["share", "create", "01AB1234526:ABC/1", "--recipient", "-", "--expires", "1d"];
  const byHand = [...argv, "--purpose", people.purpose, "--no-mail", "--json"];
  const made = await exhibit("admin", byHand, { input: recipient });
  const { link, code, share } = JSON.parse(made) as {
    link: string;
    code: string;
    share: { id: string };
  };
  secrets["shareCode"] = code;
  secrets["shareToken"] = link.split("/").at(-1) ?? "";
  const visitor = new Recipient(link, `Browser of ${people.victim}`);
  expect((await visitor.give(secrets["wrongCode"] ?? "")).status).toBe(403);
  expect((await visitor.give(code)).status).toBe(303);
  secrets["session"] = visitor.cookie?.split("=")[1] ?? "";
  const page = (await visitor.get()).text;
  const [picture] = /x\/[^"]+picture\.jpg/.exec(page) ?? [];
  expect((await visitor.get(picture)).status).toBe(200);
  await without("share_exhibits", async () => {
    expect((await visitor.get()).status).toBe(500);
    const input = `${people.recipient} <${people.address}>`;
    await exhibit("admin", argv, { input, code: 7 });
  });
  // As a script does it: who sits at a terminal is told whom it was for.
  await exhibit("admin", ["share", "revoke", share.id, "--json"]);
  expect((await visitor.get(picture)).status).toBe(410);
  const unknown = new Recipient(`${server.url}/s/${secrets["wrongToken"] ?? ""}`);
  expect((await unknown.give(secrets["wrongCode"] ?? "")).status).toBe(403);
}

/** A share by mail: taken; refused and put off by a mail server that repeats whom the mail was for; and one that waits in the queue. */
async function shareByMail(): Promise<void> {
  const input = `${people.recipient} <${people.address}>`;
  const argv = ["share", "create", "01AB1234526:ABC/1", "--recipient", "-", "--expires", "1d"];
  const share = async (): Promise<{ id: string; delivery: { reply?: string } }> => {
    const made = await exhibit("admin", [...argv, "--json"], { input });
    return (JSON.parse(made) as { share: Awaited<ReturnType<typeof share>> }).share;
  };
  await share();
  const link = /http\S+\/s\/\S+/.exec((await mails.next()).mail.text ?? "")?.[0] ?? "";
  secrets["mailed token"] = link.split("/").at(-1) ?? "";
  const visitor = new Recipient(link);
  await visitor.post({ ask: "code" });
  const code = /[0-9A-Z]{4}-[0-9A-Z]{4}/.exec((await mails.next()).mail.text ?? "")?.[0] ?? "";
  secrets["mailed code"] = code;
  expect((await visitor.give(code)).status).toBe(303);

  const replies: string[] = [];
  for (const manner of refusals) {
    mails.manner = manner;
    const { id, delivery } = await share();
    const { reply = "" } = delivery;
    replies.push(reply);
    const begins = mails.begins();
    await visitor.post({ ask: "code" });
    await begins;
    const renewed = await exhibit("admin", ["share", "renew", id, "--no-mail", "--json"]);
    const { link: other, code } = JSON.parse(renewed) as { link: string; code: string };
    secrets[`code renewed after ${reply}`] = code;
    secrets[`token renewed after ${reply}`] = other.split("/").at(-1) ?? "";
  }
  expect(replies).toEqual(["550 5.1.1", "451 4.1.1", "554 5.1.1"]);
  await without("share_mails", async () => {
    await exhibit("admin", argv, { input, code: 7 });
  });
  const withPassword = ["serve", "--data", path.join(root, "none"), "--smtp-url"];
  const url = `smtp://${mails.user}:${encodeURIComponent(mails.password)}@127.0.0.1`;
  await exhibit("admin", [...withPassword, url], { code: 2 });
}

/** Takes a table away, so that requests which name people and secrets fail in ways nobody foresaw. */
async function without(table: string, work: () => Promise<void>): Promise<void> {
  const database = new Database(path.join(data(), "exhibit.sqlite"), { timeout: 10_000 });
  database.exec(`alter table ${table} rename to gone`);
  try {
    await work();
  } finally {
    database.exec(`alter table gone rename to ${table}`);
    database.close();
  }
}

async function sendNonsense(): Promise<void> {
  const secretsOfGarage = secretFile(path.join(machine("garage"), "keys.json"));
  const session = await openSession(
    server.url,
    { ...newMachine(), secrets: secretsOfGarage },
    soon(),
  );
  const token = await session.accessToken(soon());
  secrets["bearer"] = token;
  const { inUrl = "", inBody = "", inHeader = "", wrongBearer = "", inRawBytes = "" } = secrets;
  const ask = async (url: string, init: RequestInit = {}): Promise<number> =>
    (await fetch(`${server.url}${url}`, { signal: soon(), ...init })).status;
  const mine = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answers = [
    await ask(`/v1/exhibits?case=${inUrl}&access_token=${token}`),
    await ask("/v1/exhibits", { headers: { authorization: `Bearer ${wrongBearer}` } }),
    await ask(`/v1/exhibits?case=${inUrl}%00`, { headers: mine }),
    await ask(`/v1/exhibits/${inUrl}`, { headers: mine }),
    await ask(`/v1/content/${inUrl}/${encodeURIComponent(people.victim)}`, { headers: mine }),
    await ask(`/${inUrl}/%zz`),
    await ask("/v1/exhibits", { method: "POST", headers: mine, body: `{"${inBody}` }),
    await ask("/v1/exhibits", {
      method: "POST",
      headers: mine,
      body: JSON.stringify({ case: people.victim, sourceId: inBody, [inBody]: people.phone }),
    }),
    await ask("/oauth/token", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: `grant_type=client_credentials&client_assertion=${inBody}&client_secret=${inBody}`,
    }),
    await ask("/oauth/reg", {
      method: "POST",
      headers: { authorization: `Bearer ${inHeader}`, "content-type": "application/json" },
      body: JSON.stringify({ client_name: people.victim, x: inBody }),
    }),
    await ask(`/oauth/reg/${inUrl}`, { headers: { authorization: `Bearer ${inHeader}` } }),
    await ask("/v1/server", { headers: { cookie: `exhibit=${inHeader}`, "x-name": inHeader } }),
  ];
  expect(answers.filter((status) => status < 400)).toEqual([]);
  await sendRaw(`${inRawBytes}\r\n\r\n`);
  await sendRaw(`GET /${inRawBytes} HTTP/9.9\r\n\r\n`);
  await sendRaw(`GET / HTTP/1.1\r\nhost: x\r\n${inRawBytes}: ${"a".repeat(20_000)}\r\n\r\n`);
  await sendRaw(
    `PUT /v1/content/${inRawBytes} HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf`,
  );
}

async function backUp(): Promise<void> {
  const file = path.join(root, "server.backup");
  const made = ["server", "backup", file, "--data", data(), "--encrypt-with", "-"];
  await exhibit("admin", made, { input: `${secrets["passphrase"] ?? ""}\n` });
  const restored = ["server", "restore", file, "--data", path.join(root, "restored")];
  const wrong = `${secrets["passphrase"] ?? ""} wrong\n`;
  await exhibit("admin", [...restored, "--decrypt-with", "-"], { input: wrong, code: 4 });
  await rm(path.join(root, "restored"), { recursive: true, force: true });
  await rm(path.join(root, "footage"), { recursive: true });
}

it("no log, state or database holds a planted secret, nor a log a planted name", async () => {
  await enrolEveryone();
  await uploadAndShare();
  await shareByMail();
  await sendNonsense();
  await backUp();
  for (const [what, text] of Object.entries({ ...secrets, ...people })) {
    expect([what, text.length >= 8]).toEqual([what, true]);
  }
  const numbers = await (await fetch(server.metricsUrl ?? "")).text();
  expect(await server.stop()).toBe(0);
  const log: [string, Buffer] = ["the server's log", Buffer.from(await server.err)];
  expect(log[1].toString()).toMatch(/"request failed"/);
  expect(log[1].toString().split("\n").length).toBeGreaterThan(50);
  expect(numbers).toMatch(/^exhibit_/m);
  const errors: [string, Buffer] = [
    "what commands and the server said",
    Buffer.from([...said, await server.out].join("\n")),
  ];
  const metrics: [string, Buffer] = ["the metrics", Buffer.from(numbers)];

  // Secrets: nowhere but where they are kept by purpose (the server's key, the machine's keys, the first invitation's file).
  const server_ = await filesIn(data(), ["server-key.json", "first-admin-invitation.txt"]);
  const clients = [
    ...(await filesIn(machine("admin"), ["keys.json"])),
    ...(await filesIn(machine("garage"), ["keys.json"])),
  ];
  const backup = await filesIn(root, ["data", "admin", "garage", "mail-password"]);
  expect(server_.map(([name]) => name)).toContain("exhibit.sqlite");
  expect(clients.map(([name]) => name)).toContain("state/journal.sqlite");
  expect(traces(secrets, [log, errors, metrics, ...server_, ...clients, ...backup])).toEqual([]);

  // Names: in no log and no key. What a browser called itself is in the access log of the share. Whom a share is for and why stands in the database, and what a file was called in the signed record.
  const { recipient, address, purpose, ...others } = people;
  const documents = server_.filter(([name]) => !/^content\/.*\.jsonl?$/.test(name));
  expect(traces(others, [log, metrics, ...documents])).toEqual(["victim in exhibit.sqlite"]);
  expect(traces({ recipient, address, purpose }, [log, errors, metrics])).toEqual([]);
  for (const [name] of server_) {
    expect(traces(people, [["a file's name", Buffer.from(name)]])).toEqual([]);
  }
  // This machine's own state knows its files' names, to go on where it was; it knows no recipient.
  expect(traces({ recipient, address, purpose }, clients)).toEqual([]);
}, 120_000);
