import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { request } from "undici";
import type { NetworkSettings } from "../../src/platform/network.ts";
import { accountsOf } from "../../src/stores/server/accounts.ts";
import { enrolmentAtServers } from "../../src/stores/server/enrolment.ts";
import { openSession } from "../../src/stores/server/session.ts";
import { newMachine, soon, startServer, systemClock, type TestServer } from "../support/server.ts";

const run = promisify(execFile);
const host = "evidence.test";

let folder: string;
let caPem: string;
let server: TestServer;
let proxy: Server;
let proxyUrl: string;
const tunnels: string[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-tls-"));
  const file = (name: string): string => path.join(folder, name);
  // prettier-ignore
  await run("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
    "-subj", "/CN=Test CA", "-addext", `subjectAltName=DNS:${host}`,
    "-keyout", file("key.pem"), "-out", file("cert.pem"),
  ]);
  const [cert, key] = await Promise.all([readFile(file("cert.pem")), readFile(file("key.pem"))]);
  caPem = cert.toString();
  server = await startServer({ tls: { cert, key, host } });

  // A forward proxy that knows where the name leads: nothing else on this machine does.
  proxy = createServer();
  proxy.on("connect", (asked, client: Socket) => {
    tunnels.push(asked.url ?? "");
    const port = Number(new URL(`http://${asked.url ?? ""}`).port);
    const onward = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.pipe(client).pipe(onward);
    });
    for (const socket of [onward, client]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  proxy.close();
  await server.stop();
  await rm(folder, { recursive: true });
});

function enrolBy(network: Partial<NetworkSettings>) {
  const machine = newMachine(systemClock, network);
  return {
    machine,
    enrolled: server
      .invite("partner")
      .then((code) => enrolmentAtServers(machine).enrol(server.url, code, soon())),
  };
}

describe("a server behind a proxy, with a certificate of its own organisation", () => {
  it("is reached by control calls, sign-in and data alike", async () => {
    tunnels.length = 0;
    const { machine, enrolled } = enrolBy({ proxyUrl, caPem });
    await enrolled;
    const session = await openSession(server.url, machine, soon());
    expect((await accountsOf(session).me(soon())).role).toBe("partner");
    const control = tunnels.length;
    expect(control).toBeGreaterThan(0);
    const { dispatcher } = machine.network.route(server.url);
    const { statusCode, body } = await request(`${server.url}/healthz`, { dispatcher });
    await body.dump();
    expect(statusCode).toBe(200);
    expect(tunnels.length).toBeGreaterThan(control);
    expect(new Set(tunnels)).toEqual(new Set([new URL(server.url).host]));
    await dispatcher.close();
  });

  it("is not trusted without that certificate, and nothing is sent", async () => {
    const lines = server.log.length;
    await expect(enrolBy({ proxyUrl }).enrolled).rejects.toMatchObject({
      code: "policy.insecure-address",
      hint: expect.stringContaining("--ca-file"),
    });
    expect(server.log.slice(lines).join("")).not.toContain('"route"');
  });

  it.each([host, `.${host}`, `*.${host}`, "test", `other.example, ${host}`, "*"])(
    "is asked for without the proxy when NO_PROXY says %s",
    (noProxy) => {
      const { agent } = newMachine(systemClock, { proxyUrl, noProxy }).network.route(server.url);
      const direct = newMachine().network.route(server.url);
      expect(agent.https.constructor).toBe(direct.agent.https.constructor);
    },
  );

  it.each(["other.test", `${host}:1`, "vidence.test", ""])(
    "is asked for by the proxy when NO_PROXY says %j",
    (noProxy) => {
      const { agent } = newMachine(systemClock, { proxyUrl, noProxy }).network.route(server.url);
      const direct = newMachine().network.route(server.url);
      expect(agent.https.constructor).not.toBe(direct.agent.https.constructor);
    },
  );

  it("says so when the proxy is not there", async () => {
    const { enrolled } = enrolBy({ proxyUrl: "http://127.0.0.1:1", caPem });
    await expect(enrolled).rejects.toMatchObject({ code: "unavailable.store" });
  });
});
