import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createRaw, type AddressInfo, type Server } from "node:net";
import type { lookup } from "node:dns";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { digestField, sha256Of } from "../../src/evidence/digest.ts";
import type { ExhibitError } from "../../src/evidence/errors.ts";
import type { Arrived } from "../../src/evidence/ports/fetcher.ts";
import { allowedHosts } from "../../src/platform/fetching/allowed-hosts.ts";
import { webFetcher, type FetchMachine } from "../../src/platform/fetching/fetcher.ts";
import { soon } from "../support/server.ts";

const bytes = Buffer.alloc(200_000, "0123456789abcdef");
const secret = "sig=SECRET-kX9pQ2";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let folder: string;
let server: Server;
let elsewhere: Server;
let port: number;
let otherPort: number;
let answer: Answer;
let asked: IncomingMessage[];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "exhibit-fetching-"));
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  }).listen(0, "127.0.0.1");
  elsewhere = createServer((_request, response) => response.end("internal")).listen(0, "127.0.0.2");
  await Promise.all([once(server, "listening"), once(elsewhere, "listening")]);
  port = (server.address() as AddressInfo).port;
  otherPort = (elsewhere.address() as AddressInfo).port;
});
afterAll(async () => {
  server.close();
  elsewhere.close();
  await rm(folder, { recursive: true, force: true });
});

let spools = 0;
function machineWith(hosts: string, changes: Partial<FetchMachine["routes"]> = {}): FetchMachine {
  return {
    folder: path.join(folder, `spool-${(spools += 1)}`),
    hosts: allowedHosts(hosts, "--allow-host"),
    routes: {
      ca: undefined,
      proxyFor: () => undefined,
      userAgent: "exhibit/test",
      stallMs: 300,
      ...changes,
    },
    now: () => new Date("2026-11-30T10:00:00Z"),
    baseMs: 1,
  };
}

const own = (): string => `127.0.0.1:${port}=127.0.0.1/32`;

function fetchFrom(
  machine: FetchMachine,
  link = `http://127.0.0.1:${port}/cctv/bus%2042.mp4?${secret}`,
  mostBytes = 10_000_000,
): Promise<Arrived> {
  asked = [];
  const order = { link: new URL(link), mostBytes };
  return webFetcher(machine).fetch(order, () => undefined, soon());
}

/** Sends from where a range asks, so many bytes and then nothing more. */
function piece(etag: string | undefined, content: Buffer, most: number): Answer {
  return (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const isRange = from > 0 && request.headers["if-range"] === etag;
    const start = isRange ? from : 0;
    response.writeHead(isRange ? 206 : 200, {
      "content-length": content.length - start,
      ...(isRange
        ? { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` }
        : {}),
      ...(etag === undefined ? {} : { etag }),
    });
    const part = content.subarray(start, start + most);
    response.write(part, () => {
      if (start + part.length < content.length) response.destroy();
      else response.end();
    });
  };
}

describe("what a link brings", () => {
  it("is hashed on arrival, with what was said of it, and without the link's secret", async () => {
    const machine = machineWith(own());
    answer = (_request, response) => {
      response.writeHead(200, {
        "content-length": bytes.length,
        "content-type": "video/mp4",
        "last-modified": "Fri, 27 Nov 2026 08:00:00 GMT",
        etag: '"v1"',
        "content-disposition": 'attachment; filename="High Street.mp4"',
        "repr-digest": digestField(sha256Of(bytes)),
      });
      response.end(bytes);
    };
    const arrived = await fetchFrom(machine);
    expect(arrived).toMatchObject({
      name: "High Street.mp4",
      sizeBytes: bytes.length,
      sha256: sha256Of(bytes),
      isFromBefore: false,
      fetched: {
        url: `http://127.0.0.1:${port}/cctv/bus%2042.mp4`,
        host: `127.0.0.1:${port}`,
        redirects: 0,
        address: "127.0.0.1",
        headers: { etag: '"v1"', contentType: "video/mp4" },
      },
    });
    expect(asked[0]?.headers).toMatchObject({ "accept-encoding": "identity" });
    expect(JSON.stringify(arrived)).not.toContain("SECRET");
    const [spool = ""] = await readdir(machine.folder);
    const content = path.join(machine.folder, spool, "content");
    expect((await readFile(content)).equals(bytes)).toBe(true);
    expect((await stat(content)).mode & 0o077).toBe(0);
    await arrived.discard();
    expect(await readdir(machine.folder)).toEqual([]);
  });

  it("goes on by range where a connection broke, as long as the strong ETag is the same", async () => {
    answer = piece('"v1"', bytes, 70_000);
    const arrived = await fetchFrom(machineWith(own()));
    expect(arrived.sha256).toBe(sha256Of(bytes));
    expect(asked.length).toBeGreaterThanOrEqual(3);
    // What was still on its way when the connection broke is lost with it.
    const range: unknown = expect.stringMatching(/^bytes=[1-9]\d+-$/);
    expect(asked[1]?.headers).toMatchObject({ range, "if-range": '"v1"' });
  });

  it.each([undefined, 'W/"v1"'])("starts again without a strong ETag (%s)", async (etag) => {
    let tries = 0;
    answer = (request, response) => {
      piece(etag, bytes, (tries += 1) < 3 ? 70_000 : bytes.length)(request, response);
    };
    const arrived = await fetchFrom(machineWith(own()));
    expect([arrived.sha256, asked.length]).toEqual([sha256Of(bytes), 3]);
    expect(asked[2]?.headers.range).toBeUndefined();
  });

  it("is fetched anew when it changed between two ranges, and never put together of both", async () => {
    const changed = Buffer.alloc(200_000, "changed");
    let tries = 0;
    answer = (request, response) => {
      tries += 1;
      if (tries === 1) piece('"v1"', bytes, 70_000)(request, response);
      else piece('"v2"', changed, changed.length)(request, response);
    };
    expect((await fetchFrom(machineWith(own()))).sha256).toBe(sha256Of(changed));
  });

  it("goes on in another run with what the first one had kept", async () => {
    const machine = machineWith(own());
    answer = (request, response) => {
      if (asked.length === 1) piece('"v1"', bytes, 70_000)(request, response);
      else response.writeHead(503).end();
    };
    await expect(fetchFrom(machine)).rejects.toMatchObject({ code: "unavailable.source" });
    answer = piece('"v1"', bytes, bytes.length);
    const arrived = await fetchFrom(machine);
    expect(arrived.sha256).toBe(sha256Of(bytes));
    expect(asked[0]?.headers.range).toMatch(/^bytes=[1-9]\d+-$/);
    expect(await fetchFrom(machine)).toMatchObject({ isFromBefore: true });
  });
});

describe("what a link must not do", () => {
  const head =
    (fields: Record<string, string | number>, body: Buffer | string): Answer =>
    (_request, response) => {
      response.writeHead(200, fields);
      response.end(body);
    };
  const redirect =
    (to: () => string, status = 302): Answer =>
    (_request, response) =>
      response.writeHead(status, { location: to() }).end();
  const rows: [string, Answer, string][] = [
    [
      "send on to this computer",
      redirect(() => `http://127.0.0.1:${otherPort}/`),
      "policy.not-permitted",
    ],
    ["send on to a private address", redirect(() => "https://10.0.0.1/"), "policy.not-permitted"],
    [
      "send on to an allowed name at a closed address",
      redirect(() => `http://127.0.0.2:${otherPort}/`),
      "policy.insecure-address",
    ],
    [
      "send on to the cloud's own data",
      redirect(() => "http://169.254.169.254/latest"),
      "policy.not-permitted",
    ],
    ["send on to another scheme", redirect(() => "file:///etc/passwd"), "policy.not-permitted"],
    ["send on for ever", redirect(() => "/again"), "unavailable.source"],
    ["send on to nothing", redirect(() => "http://[bad"), "unavailable.source"],
    [
      "send a page to sign in at",
      head({ "content-type": "text/html" }, "<p>Sign in"),
      "policy.not-permitted",
    ],
    [
      "send a page that is called a file",
      head({ "content-type": "video/mp4" }, "\n<!DOCTYPE html>"),
      "policy.not-permitted",
    ],
    ["ask to sign in", (_q, response) => response.writeHead(401).end(), "policy.not-permitted"],
    ["have ended", (_q, response) => response.writeHead(410).end(), "not-found.source"],
    ["be broken", (_q, response) => response.writeHead(500).end(), "unavailable.source"],
    ["announce too much", head({ "content-length": 20_000_000 }, ""), "policy.too-large"],
    ["compress", head({ "content-encoding": "gzip" }, "x"), "policy.unsupported"],
    [
      "have another digest",
      head({ "repr-digest": digestField(sha256Of("other")) }, bytes),
      "integrity.mismatch",
    ],
    [
      "never end",
      (_q, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(bytes));
          response.once("drain", more);
        };
        response.writeHead(200);
        more();
      },
      "policy.too-large",
    ],
    [
      "stall",
      (_q, response) => {
        response.writeHead(200, { "content-length": 10 });
        response.write("12345");
      },
      "unavailable.source",
    ],
    [
      "send less than it announced",
      (_q, response) => {
        response.writeHead(200, { "content-length": 10 });
        response.write("12345", () => response.destroy());
      },
      "unavailable.source",
    ],
    [
      "send another piece than was asked for",
      (request, response) => {
        if (request.headers.range === undefined) piece('"v1"', bytes, 70_000)(request, response);
        else response.writeHead(206, { "content-range": "bytes 0-199999/200000" }).end(bytes);
      },
      "integrity.source-changed",
    ],
  ];

  it.each(rows)("%s", async (_what, said, code) => {
    const machine = machineWith(`${own()} 127.0.0.2:${otherPort}`);
    answer = said;
    const refused = await fetchFrom(machine).then(
      () => undefined,
      (error: unknown) => error as ExhibitError,
    );
    expect(refused).toMatchObject({ code });
    expect(`${refused?.message ?? ""} ${refused?.hint ?? ""}`).not.toContain("SECRET");
    const left = await readdir(machine.folder);
    if (code !== "unavailable.source") expect(left).toEqual([]);
    for (const spool of left) {
      expect(await readdir(path.join(machine.folder, spool))).not.toContain("content");
    }
  });

  it("send more than it announced", async () => {
    const liar = createRaw((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () =>
        socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloEXTRA"),
      );
    }).listen(0, "127.0.0.1");
    await once(liar, "listening");
    const host = `127.0.0.1:${(liar.address() as AddressInfo).port}`;
    const fetching = fetchFrom(machineWith(`${host}=127.0.0.1/32`), `http://${host}/a.mp4`);
    await expect(fetching).rejects.toMatchObject({ code: "integrity.mismatch" });
    liar.close();
  });

  it("lead to a name whose address changes between looking and connecting", async () => {
    let looks = 0;
    const lookUp = ((_name: string, _options: object, done: (...given: unknown[]) => void) => {
      looks += 1;
      done(null, [{ address: looks === 1 ? "127.0.0.1" : "10.0.0.1", family: 4 }]);
    }) as unknown as typeof lookup;
    const machine = machineWith("media.council.example", { lookup: lookUp });
    const fetching = fetchFrom(machine, "https://media.council.example/a.mp4");
    await expect(fetching).rejects.toMatchObject({ code: "policy.insecure-address" });
    expect([looks, asked.length]).toEqual([1, 0]);
  });

  it.each([
    ["http://media.council.example/a.mp4", "media.council.example", "policy.not-permitted"],
    ["http://media.council.example/a.mp4", "media.council.example:80", "policy.insecure-address"],
    ["https://127.0.0.1/a.mp4", "127.0.0.1", "policy.insecure-address"],
    ["https://[::1]/a.mp4", "[::1]", "policy.insecure-address"],
    ["https://[::ffff:10.0.0.1]/a.mp4", "[::ffff:a00:1]", "policy.insecure-address"],
    ["https://2130706433/a.mp4", "127.0.0.1", "policy.insecure-address"],
    ["https://evil.example/a.mp4", "*.council.example", "policy.not-permitted"],
  ])("%s with %s: %s", async (link, hosts, code) => {
    await expect(fetchFrom(machineWith(hosts), link)).rejects.toMatchObject({ code });
  });
});
