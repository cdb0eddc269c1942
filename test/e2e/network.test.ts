import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { finish, start } from "../support/built-program.ts";
import { startServer, type TestServer } from "../support/server.ts";

const host = "evidence.test";
const sockets = new Set<Socket>();
const tunnels: string[] = [];
let folder: string;
let server: TestServer;
let proxy: Server;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-proxied-"));
  const [cert, key] = [path.join(folder, "cert.pem"), path.join(folder, "key.pem")];
  // prettier-ignore
  await promisify(execFile)("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=Test CA", "-addext", `subjectAltName=DNS:${host}`, "-keyout", key, "-out", cert,
  ]);
  server = await startServer({
    tls: { cert: await readFile(cert), key: await readFile(key), host },
  });
  proxy = createServer().on("connect", (asked, client: Socket) => {
    tunnels.push(asked.url ?? "");
    const onward = connect(Number(new URL(server.url).port), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.pipe(client).pipe(onward);
    });
    for (const socket of [onward, client]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
}, 30_000);
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  proxy.close();
  await server.stop();
  await rm(folder, { recursive: true });
});

async function login(argv: readonly string[], env: NodeJS.ProcessEnv) {
  const HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const child = start(folder, ["login", server.url, "--invite-stdin", ...argv], {
    HTTPS_PROXY,
    NO_PROXY: "",
    ...env,
  });
  child.stdin.write(await server.invite("partner"));
  return finish(child);
}

it("goes through HTTPS_PROXY, except where NO_PROXY says so, and trusts --ca-file", async () => {
  const trusted = ["--ca-file", path.join(folder, "cert.pem")];
  const untrusted = await login([], {});
  expect([untrusted.code, untrusted.err]).toEqual([9, expect.stringContaining("--ca-file")]);

  tunnels.length = 0;
  const direct = await login(trusted, { NO_PROXY: host });
  expect([direct.code, tunnels]).toEqual([7, []]);

  const enrolled = await login(trusted, {});
  expect([enrolled.code, enrolled.err]).toEqual([0, expect.stringContaining("as partner of")]);
  expect(new Set(tunnels)).toEqual(new Set([new URL(server.url).host]));
}, 60_000);
