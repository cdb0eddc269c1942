import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import { connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { openNetwork } from "../../src/platform/network.ts";
import { keysOfThisComputer } from "../../src/stores/s3/credentials.ts";
import { s3Address } from "../../src/evidence/s3-address.ts";
import { finish, start } from "../support/built-program.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { unlimited } from "../support/unlimited.ts";

const host = "evidence.test";
const password = "hunter2-of-the-proxy";
const sockets = new Set<Socket>();
let folder: string;
let ca: string;
let server: TestServer;
let sts: TlsServer;
let proxy: Server;
/** Where tunnels were asked to. */
let tunnels: string[] = [];
let refused = 0;
/** Tunnels break when so much has gone through one, either way. */
let breaksAfter = Infinity;
let broken = 0;

/** As a garage's proxy: asks for a password, lets nobody out otherwise, and breaks what lasts too long. */
function startProxy(): Server {
  return createServer().on("connect", (asked, client: Socket) => {
    const given = Buffer.from(
      (asked.headers["proxy-authorization"] ?? "").replace(/^Basic /, ""),
      "base64",
    ).toString();
    client.on("error", () => client.destroy());
    if (given !== `garage:${password}`) {
      refused += 1;
      client.end("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n");
      return;
    }
    tunnels.push(asked.url ?? "");
    const isSts = asked.url?.startsWith("sts.test:") === true;
    const port = isSts ? (sts.address() as AddressInfo).port : Number(new URL(server.url).port);
    const onward = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.pipe(client).pipe(onward);
    });
    let through = 0;
    for (const [socket, other] of [
      [onward, client],
      [client, onward],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => other.destroy());
      socket.on("data", (bytes: Buffer) => {
        through += bytes.length;
        if (through < breaksAfter) return;
        broken += 1;
        client.resetAndDestroy();
        onward.destroy();
      });
    }
  });
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-garage-"));
  ca = path.join(folder, "cert.pem");
  const key = path.join(folder, "key.pem");
  // prettier-ignore
  await promisify(execFile)("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=Garage CA", "-addext", `subjectAltName=DNS:${host},DNS:sts.test`, "-keyout", key, "-out", ca,
  ]);
  const tls = { cert: await readFile(ca), key: await readFile(key) };
  server = await startServer({ tls: { ...tls, host } });
  sts = createTlsServer(tls, (_, answer) => {
    answer.setHeader("content-type", "text/xml");
    const until = new Date(Date.now() + 3_600_000).toISOString();
    answer.end(
      `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKIDTEST</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${until}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
    );
  });
  proxy = startProxy();
  await Promise.all([
    once(sts.listen(0, "127.0.0.1"), "listening"),
    once(proxy.listen(0, "127.0.0.1"), "listening"),
  ]);
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  proxy.close();
  sts.close();
  await server.stop();
  await rm(folder, { recursive: true });
});

function proxyUrl(credentials = `garage:${password}@`): string {
  return `http://${credentials}127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

async function exhibit(argv: readonly string[], input = "", credentials?: string) {
  const env = { HTTPS_PROXY: proxyUrl(credentials), NO_PROXY: "" };
  const child = start(folder, [...argv, "--ca-file", ca], env);
  child.stdin.write(input);
  const ran = await finish(child);
  expect(`${ran.out}${ran.err}`).not.toContain(password);
  return ran;
}

it("says that a proxy refuses, which asks for a password that nobody gave", async () => {
  const invitation = await server.invite("officer");
  const { code } = await exhibit(["login", server.url, "--invite-stdin"], invitation, "");
  expect([code, tunnels]).toEqual([7, []]);
  expect(refused).toBeGreaterThan(0);
});

it("signs in, uploads, shares and opens links through a proxy with a password, trusting its own certificates", async () => {
  const invitation = await server.invite("officer");
  const enrolled = await exhibit(["login", server.url, "--invite-stdin"], invitation);
  expect([enrolled.code, enrolled.err]).toEqual([0, expect.stringContaining("as officer of")]);
  refused = 0;
  const smoked = await exhibit(["smoke", "--json"]);
  expect([smoked.code, smoked.err]).toEqual([0, ""]);
  expect(new Set(tunnels)).toEqual(new Set([new URL(server.url).host]));
  expect(refused).toBe(0);
});

it("goes on with an upload however often the proxy breaks its connections", async () => {
  const file = path.join(folder, "night.mp4");
  await writeFile(file, Buffer.alloc(6 * 1024 * 1024, 7));
  breaksAfter = 1_500_000;
  tunnels = [];
  const upload = ["upload", file, "--case", "BUS/1", "--initials", "ABC", "--part-size", "256K"];
  const sent = await exhibit([...upload, "--json"]);
  breaksAfter = Infinity;
  expect([sent.code, sent.err]).toEqual([0, ""]);
  expect(broken).toBeGreaterThan(2);
  expect(tunnels.length).toBeGreaterThan(broken);
  expect((await exhibit(["verify", "BUS/1:ABC/1"])).code).toBe(0);
});

it("fetches AWS's keys for a role through it, too", async () => {
  const before = { ...process.env };
  const token = path.join(folder, "token");
  await writeFile(token, "a.b.c");
  const network = openNetwork({
    proxyUrl: proxyUrl(),
    noProxy: "",
    caPem: await readFile(ca, "utf8"),
    pace: unlimited,
  });
  tunnels = [];
  try {
    for (const name of Object.keys(process.env))
      if (name.startsWith("AWS_")) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, {
      AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/garage",
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_ENDPOINT_URL_STS: "https://sts.test:8443",
      AWS_CONFIG_FILE: "/nowhere",
      AWS_SHARED_CREDENTIALS_FILE: "/nowhere",
      AWS_EC2_METADATA_DISABLED: "true",
    });
    const keys = await keysOfThisComputer(s3Address("s3://bucket/p?region=eu-west-2"), network)();
    expect(keys).toMatchObject({ accessKeyId: "AKIDTEST" });
    expect(new Set(tunnels)).toEqual(new Set(["sts.test:8443"]));
  } finally {
    process.env = before;
    await network.close();
  }
});
