import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { createInterface } from "node:readline";
import { finish, start, startApart } from "../support/built-program.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { startServer, type TestServer } from "../support/server.ts";

const host = "evidence.test";
const sockets = new Set<Socket>();
const tunnels: string[] = [];
let folder: string;
let server: TestServer;
let proxy: Server;
/** Resolvers take their time to say that there is no such name: the other tests run meanwhile. */
let unresolved: ReturnType<typeof finish>;

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
  const child = start(folder, ["login", "https://nothing.invalid", "--invite-stdin", "--json"]);
  child.stdin.write(await server.invite("partner"));
  unresolved = finish(child);
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

it("says in words that a name cannot be resolved", async () => {
  const { code, out, err } = await unresolved;
  expect([code, out]).toEqual([7, ""]);
  expect(JSON.parse(err)).toMatchObject({
    code: "unavailable.store",
    message: expect.stringMatching(
      /nothing\.invalid could not be reached \((?:ENOTFOUND|EAI_AGAIN)\)/,
    ),
  });
}, 60_000);

(process.getuid?.() === 0 ? it : it.skip)(
  "waits while a name cannot be resolved in mid-upload, and goes on where it then leads",
  async () => {
    const { port } = new URL(server.url);
    const [before, after] = await Promise.all(
      ["127.0.0.2", "127.0.0.3"].map((address) =>
        startFaultProxy(Number(port), { host: address, port: Number(port) }),
      ),
    );
    if (before === undefined || after === undefined) throw new Error();
    const hosts = path.join(folder, "hosts");
    const leadsTo = (address: string): Promise<void> => writeFile(hosts, `${address} ${host}\n`);
    const names = path.join(folder, "nsswitch.conf");
    await writeFile(names, "hosts: files\n");
    const apart = { "/etc/hosts": hosts, "/etc/nsswitch.conf": names };
    const trusted = ["--ca-file", path.join(folder, "cert.pem")];
    const mine = path.join(folder, "named");
    try {
      await leadsTo("127.0.0.2");
      const enrolling = startApart(apart, mine, [
        "login",
        server.url,
        "--invite-stdin",
        ...trusted,
      ]);
      enrolling.stdin.write(await server.invite("partner"));
      expect((await finish(enrolling)).code).toBe(0);
      const file = path.join(folder, "night.mp4");
      await writeFile(file, Buffer.alloc(4 * 1024 * 1024, 7));
      const child = startApart(apart, mine, [
        ...["upload", file, "--case", "DNS/1", "--initials", "ABC", "--json", "--progress", "json"],
        ...["--part-size", "256K", "--bwlimit", "1M", ...trusted],
      ]);
      const closed = once(child, "close");
      let isGone = false;
      const waits: string[] = [];
      for await (const line of createInterface({ input: child.stderr })) {
        if (line.includes('"part-done"') && !isGone) {
          isGone = true;
          await writeFile(hosts, "");
          await before.close();
        }
        if (!line.includes('"waiting"')) continue;
        waits.push(line);
        if (line.includes("ENOTFOUND")) await leadsTo("127.0.0.3");
      }
      expect(await closed).toEqual([0, null]);
      expect(waits.join("")).toContain("ENOTFOUND");
      expect(after.bytesUp).toBeGreaterThan(1024 * 1024);
    } finally {
      await after.close();
    }
  },
  60_000,
);
