import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { verify } from "../../src/app/verify.ts";
import { makeClient, upload, uploadOf, type TestClient, type Uploaded } from "../support/client.ts";
import {
  startAnsweringProxy,
  type AnsweringProxy,
  type Deed,
  type Rule,
} from "../support/answering-proxy.ts";
import { MovingClock } from "../support/moving-clock.ts";
import { enrol, soon, startServer, type TestServer } from "../support/server.ts";

const kib = 1024;
const partBytes = 256 * kib;
const size = 5 * partBytes + 123;

const part = /^PUT [^ ]*\/parts\//;
const begin = /^POST [^ ]*\/v1\/uploads$/;
const complete = /^POST [^ ]*\/complete$/;
const reserve = /^POST [^ ]*\/v1\/exhibits$/;
const record = /^PUT [^ ]*\/record$/;
const state = /^GET [^ ]*\/v1\/uploads\/u/;
const whole = /^PUT [^ ]*\/v1\/content\//;

const hourMs = 3_600_000;
let clock: MovingClock;
let proxy: AnsweringProxy;
let server: TestServer;
let client: TestClient;
let ordinal = 0;

beforeAll(async () => {
  proxy = await startAnsweringProxy();
  server = await startServer({ settings: { publicUrl: proxy.url } });
  proxy.upstreamPort = Number(new URL(server.url).port);
});
afterAll(async () => {
  await server.stop();
  await proxy.close();
});
beforeEach(async () => {
  proxy.rules = [];
  clock = new MovingClock();
  const invitation = await server.invite("partner");
  const { machine } = await enrol(proxy.url, invitation, clock, { stallMs: 400 });
  client = await makeClient(proxy.url, machine);
  ordinal += 1;
});
afterEach(async () => {
  proxy.rules = [];
  await client.close();
});

async function send(name: string, bytes: number | Buffer, rules: Rule[]): Promise<Uploaded> {
  const file = await client.write(name, typeof bytes === "number" ? randomBytes(bytes) : bytes);
  proxy.rules = rules;
  proxy.requests.length = 0;
  const request = {
    ...uploadOf([file], { case: `A${ordinal}/26`, sourceId: name }),
    partBytes,
    concurrency: 2,
  };
  try {
    return await upload(client.deps, request, soon());
  } finally {
    proxy.rules = rules.filter(({ times }) => times !== undefined && times > 0);
  }
}

function clockJumps(ms: number): Promise<void> {
  clock.aheadMs += ms;
  return Promise.resolve();
}

async function uploadsGone(): Promise<void> {
  for (const unfinished of await client.store.uploads(soon())) {
    await client.store.abort(unfinished, soon());
  }
}

/** Bytes of content that went up, each try counted. */
function sentBytes(): number {
  return proxy.requests
    .filter(({ line }) => part.test(line) || whole.test(line))
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

async function expectProved(result: Uploaded): Promise<void> {
  expect(result.failed).toEqual([]);
  const [exhibit] = result.exhibits;
  expect(exhibit?.receipt.files[0]?.proof).toBe("whole");
  const checked = await verify(client.deps, { exhibit: exhibit?.id ?? "" }, soon());
  expect(checked.failed).toEqual([]);
}

describe("an upload gets through", () => {
  const answered = (status: number, headers = {}): Deed => ({ answer: status, headers });
  const html = { "content-type": "text/html" };
  it.each<[string, RegExp, Deed, number]>([
    ["408 to a part", part, answered(408), 1],
    ["408 with Retry-After", part, answered(408, { "retry-after": "0" }), 1],
    ["413 to a part", part, answered(413), 1],
    ["413 with Retry-After", part, answered(413, { "retry-after": "0" }), 1],
    ["413 to a part, before its body", part, { answer: 413, early: true }, 1],
    ["429 to a part", part, answered(429), 2],
    ["429 with Retry-After in seconds", part, answered(429, { "retry-after": "0" }), 2],
    [
      "503 with Retry-After as a date",
      part,
      answered(503, { "retry-after": new Date(0).toUTCString() }),
      2,
    ],
    ["429 to the completion", complete, answered(429), 1],
    ["503 to a part", part, answered(503), 2],
    ["503 with Retry-After in seconds", part, answered(503, { "retry-after": "0" }), 2],
    ["500 to a part", part, answered(500), 3],
    ["500 with Retry-After", part, answered(500, { "retry-after": "0" }), 2],
    ["502 to the beginning", begin, answered(502), 1],
    ["504 to the completion", complete, answered(504), 1],
    ["500 to the reservation", reserve, answered(500), 1],
    ["500 to the record", record, answered(500), 1],
    ["500 to the list of parts", state, answered(500), 1],
    ["a part that arrives twice", part, { twice: true }, 3],
    ["a part that another overtakes", part, { behind: 1 }, 3],
    ["a part that comes a little at a time", part, { dripBytes: 32 * kib, everyMs: 25 }, 2],
    ["a clock that is put forward in mid-file", part, { after: () => clockJumps(5 * hourMs) }, 2],
    ["a clock that is put back in mid-file", part, { after: () => clockJumps(-5 * hourMs) }, 2],
    ["a token that ends in mid-file", part, { tokenEnded: {} }, 2],
    ["a completion that arrives twice", complete, { twice: true }, 1],
    ["a record that arrives twice", record, { twice: true }, 1],
    ["a lost answer to a part", part, { loseReply: true }, 2],
    ["a lost answer to the beginning", begin, { loseReply: true }, 1],
    ["a lost answer to the completion", complete, { loseReply: true }, 1],
    ["a lost answer to the reservation", reserve, { loseReply: true }, 1],
    ["a lost answer to the record", record, { loseReply: true }, 1],
    ["a part that the server stored and a proxy says 502 of", part, { insteadOfReply: 502 }, 1],
    ["a connection that stops taking a part", part, { stallAt: 100 * kib }, 1],
    ["a byte flipped on the way up", part, { flipUp: 77_777 }, 1],
    ["a byte flipped in the answer to the beginning", begin, { flipDown: 2 }, 1],
    ["an answer to the completion cut short", complete, { truncateDown: 20 }, 1],
    [
      "200 with an error document to the completion",
      complete,
      {
        insteadOfReply: 200,
        headers: { "content-type": "text/html" },
        body: "<h1>502 Bad Gateway</h1>",
      },
      1,
    ],
    [
      "200 with an error document to a part that was never stored",
      part,
      { answer: 200, headers: html, body: "<h1>Sign in</h1>" },
      1,
    ],
    ["a redirect of a part", part, answered(307, { location: "http://127.0.0.1:9/" }), 1],
  ])("although there is %s", async (_, on, deed, times) => {
    await expectProved(await send("a.mp4", size, [{ on, deed, times }]));
    expect(proxy.applied).toBeGreaterThan(0);
    // Nothing that was acknowledged goes up twice: at most the parts that the fault struck, and their fellows in flight.
    expect(sentBytes()).toBeLessThanOrEqual(size + (times + 2) * partBytes);
  });

  it.each<[string, Deed]>([
    ["413 by a proxy's limit", { answer: 413 }],
    ["413 by a proxy's limit, early", { answer: 413, early: true }],
    ["503", { answer: 503 }],
    ["a lost answer", { loseReply: true }],
    ["a byte flipped on the way up", { flipUp: 500 }],
  ])("in one request, or in parts after all, although there is %s", async (_, deed) => {
    await expectProved(await send("small.jpg", 200 * kib, [{ on: whole, deed, times: 1 }]));
  });

  it.each([
    ["in seconds", () => "1"],
    [
      "as a date, by the clock of whoever answers",
      () => new Date(Date.now() - 3_599_000).toUTCString(),
    ],
  ])("having waited as long as was asked %s", async (_, retryAfter) => {
    // Its clock is an hour behind ours.
    const date = new Date(Date.now() - 3_600_000).toUTCString();
    const headers = { "retry-after": retryAfter(), date };
    const before = performance.now();
    await expectProved(
      await send("a.mp4", 100, [{ on: whole, deed: { answer: 503, headers }, times: 1 }]),
    );
    const waitedMs = performance.now() - before;
    expect(waitedMs).toBeGreaterThanOrEqual(990);
  });

  it.each([
    ["when a part comes", part],
    ["when it is completed", complete],
  ])("begun anew where the upload is gone %s", async (_, on) => {
    await expectProved(
      await send("a.mp4", size, [{ on, deed: { after: () => uploadsGone() }, times: 1 }]),
    );
    expect(sentBytes()).toBeLessThanOrEqual(2 * size);
  });

  it("in plain bodies: nothing is put around the content, and its digest goes along", async () => {
    await expectProved(await send("a.mp4", size, []));
    const parts = proxy.requests.filter(({ line }) => part.test(line));
    expect(parts.length).toBeGreaterThan(4);
    for (const { headers, bytes } of parts) {
      expect(headers).toMatchObject({ "content-length": String(bytes) });
      expect(headers).toMatchObject({ "content-digest": expect.stringMatching(/^sha-256=:/) });
      expect(Object.keys(headers)).not.toContain("transfer-encoding");
      expect(Object.keys(headers)).not.toContain("content-encoding");
    }
  });

  it.each([0, 1])("with %d bytes", async (bytes) => {
    await expectProved(await send("tiny.bin", bytes, []));
  });

  it("in ever shorter parts where a proxy takes no request beyond its limit", async () => {
    const limit = 100 * kib;
    // What a proxy with a limit does: it looks at the declared length.
    const rule: Rule = { on: part, deed: { answer: 413, early: true }, longerThan: limit };
    await expectProved(await send("big.mp4", 3 * partBytes, [rule]));
    const taken = proxy.requests
      .filter(({ line, headers }) => part.test(line) && Number(headers["content-length"]) <= limit)
      .reduce((sum, { bytes }) => sum + bytes, 0);
    expect(taken).toBe(3 * partBytes);
    expect(proxy.applied).toBeGreaterThan(0);
  });
});

describe("an upload does not claim", () => {
  it.each<[string, Rule, string]>([
    [
      "what a server says it has under another digest",
      {
        on: complete,
        deed: {
          insteadOfReply: 200,
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            key: "A/ABC_1/ABC_1-0001.mp4",
            sizeBytes: size,
            sha256: "0".repeat(64),
            proof: "whole",
          }),
        },
      },
      "integrity.mismatch",
    ],
    [
      "a part that the server says it took, and did not",
      { on: part, deed: { answer: 204 }, times: 1 },
      "integrity.mismatch",
    ],
    [
      "what is flipped every time on the way",
      { on: part, deed: { flipUp: 9 } },
      "integrity.mismatch",
    ],
    [
      "what has a frame around it when it arrives",
      { on: part, deed: { framed: true } },
      "usage.invalid",
    ],
    [
      "a record that the server has signed for another",
      {
        on: record,
        deed: {
          insteadOfReply: 200,
          headers: { "content-type": "application/json" },
          body: "{}",
        },
      },
      "unavailable.store",
    ],
    ["what a server never completes", { on: complete, deed: { answer: 500 } }, "unavailable.store"],
  ])("%s", async (_, rule, code) => {
    const outcome = await send("a.mp4", size, [rule]).then(
      ({ failed, exhibits }) => {
        expect(exhibits).toEqual([]);
        return failed[0]?.code;
      },
      (error: unknown) => (error as { code?: string }).code,
    );
    expect(outcome).toBe(code);
  });

  it("what was reset by nobody's fault is sent on by the next run, byte for byte once", async () => {
    const content = randomBytes(size);
    await expect(
      send("a.mp4", content, [{ on: complete, deed: { answer: 500 } }]),
    ).rejects.toMatchObject({ code: "unavailable.store", hint: expect.stringContaining("resume") });
    const second = await send("a.mp4", content, []).catch((error: unknown) => error);
    expect(second).toMatchObject({ failed: [], exhibits: [{ bytesSkipped: size, bytesSent: 0 }] });
    expect(sentBytes()).toBe(0);
  });
});
