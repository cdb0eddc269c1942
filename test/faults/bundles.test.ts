import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { verify } from "../../src/app/verify.ts";
import { ExhibitError } from "../../src/evidence/errors.ts";
import {
  startAnsweringProxy,
  type AnsweringProxy,
  type Deed,
  type Rule,
} from "../support/answering-proxy.ts";
import { makeClient, upload, uploadOf, type TestClient, type Uploaded } from "../support/client.ts";
import { sha256 } from "../support/transfer-rig.ts";
import {
  enrol,
  soon,
  startServer,
  systemClock,
  type Person,
  type TestServer,
} from "../support/server.ts";

const bundle = /^POST [^ ]*\/v1\/bundles$/;
const reservations = /^POST [^ ]*\/v1\/exhibits\/reservations$/;
const single = /^PUT [^ ]*\/v1\/content\//;
const kib = 1024;

let proxy: AnsweringProxy;
let server: TestServer;
let person: Person;
let client: TestClient;
let ordinal = 0;
let contents: Map<string, Buffer>;

beforeAll(async () => {
  proxy = await startAnsweringProxy();
  server = await startServer({ settings: { publicUrl: proxy.url } });
  proxy.upstreamPort = Number(new URL(server.url).port);
  // Once for all: the server lets nobody enrol as often as there are tests.
  person = await enrol(proxy.url, await server.invite("partner"), systemClock, { stallMs: 1000 });
});
afterAll(async () => {
  await server.stop();
  await proxy.close();
});
beforeEach(async () => {
  proxy.rules = [];
  client = await makeClient(proxy.url, person.machine);
  ordinal += 1;
  contents = new Map();
  for (let file = 0; file < 12; file += 1) {
    const bytes = randomBytes(file === 0 ? 0 : 4 * kib + file);
    const name = `calls/${String(file).padStart(2, "0")}.wav`;
    contents.set(name, bytes);
    await client.write(name, bytes);
  }
});
afterEach(async () => {
  proxy.rules = [];
  await client.close();
});

async function send(rules: Rule[], more = {}): Promise<Uploaded> {
  proxy.rules = rules;
  proxy.requests.length = 0;
  const folder = path.join(client.folder, "evidence", "calls");
  const request = uploadOf([folder], { case: `B${ordinal}/26`, partBytes: 256 * kib, ...more });
  try {
    return await upload(client.deps, request, soon());
  } finally {
    proxy.rules = [];
  }
}

const count = (on: RegExp): number => proxy.requests.filter(({ line }) => on.test(line)).length;

/** Every file arrived once, in order, unchanged, and has a receipt that the store can be held to. */
async function expectAllProved({ exhibits, failed }: Uploaded): Promise<void> {
  expect(failed).toEqual([]);
  expect(
    exhibits.map((one) => [one.reference, one.contents[0]?.path, one.contents[0]?.sha256]),
  ).toEqual([...contents].map(([name, bytes], index) => [`ABC/${index + 1}`, name, sha256(bytes)]));
  for (const { id, receipt } of exhibits) {
    expect(receipt.files).toMatchObject([{ proof: "whole" }]);
    expect((await verify(client.deps, { exhibit: id }, soon())).failed).toEqual([]);
  }
}

describe("many small files", () => {
  it("go in one request, and nothing of them by itself", async () => {
    await expectAllProved(await send([]));
    expect([count(reservations), count(bundle), count(single)]).toEqual([1, 1, 0]);
    const again = await send([]);
    expect(again.exhibits.map(({ outcome }) => outcome)).toEqual(
      [...contents].map(() => "already-present"),
    );
    expect(count(bundle)).toBe(0);
  });

  it("go in as many requests as the parts' length at the moment makes them", async () => {
    // What was asked for is the most: a quarter of what they are together.
    await expectAllProved(await send([], { partBytes: 16 * kib }));
    expect(count(bundle)).toBeGreaterThanOrEqual(3);
  });

  const answered = (status: number, body?: string): Deed => ({
    answer: status,
    headers: { "content-type": "text/html" },
    ...(body === undefined ? {} : { body }),
  });
  it.each<[string, RegExp, Deed, number]>([
    ["a lost answer", bundle, { loseReply: true }, 2],
    ["a lost answer to what reserves their places", reservations, { loseReply: true }, 1],
    ["503 to all of them", bundle, { answer: 503, headers: { "retry-after": "0" } }, 1],
    ["429 to what reserves their places", reservations, { answer: 429 }, 1],
    ["a page that says 200", bundle, answered(200, "<p>Sign in</p>"), 1],
    ["a page that says 200, when the server had acted", bundle, { insteadOfReply: 200 }, 1],
    ["an answer that is cut short", bundle, { truncateDown: 3000 }, 1],
    ["an answer that was changed on its way", bundle, { flipDown: 3000 }, 1],
    ["a byte that was changed on its way up", bundle, { flipUp: 9000 }, 2],
    ["a connection that stops taking them", bundle, { stallAt: 8000 }, 1],
    ["a token that has ended", bundle, { tokenEnded: {} }, 1],
    ["a proxy that sends them twice", bundle, { twice: true }, 1],
    ["a redirect", bundle, { answer: 307, headers: { location: "http://127.0.0.1:9/" } }, 1],
  ])("arrive, each once, although there is %s", async (_, on, deed, times) => {
    await expectAllProved(await send([{ on, deed, times }]));
    expect(proxy.applied).toBeGreaterThan(0);
  });

  it("are sent in halves, and in the end one by one, where a proxy takes nothing as long", async () => {
    await expectAllProved(await send([{ on: bundle, deed: { answer: 413 } }]));
    expect(count(single)).toBe(contents.size);
  });

  it("do not suffer from one among them that cannot be read, or whose receipt cannot be kept", async () => {
    await mkdir(path.join(client.folder, "receipts", `B${ordinal}_26`, "ABC_3.receipt.json"), {
      recursive: true,
    });
    const { source } = client.deps;
    // No more than eight are open at once: when the first has been read, this one has not been opened.
    source.afterRead = async () => {
      source.afterRead = undefined;
      await rm(path.join(client.folder, "evidence", "calls", "09.wav"));
    };
    const { exhibits, failed } = await send([]);
    source.afterRead = undefined;
    expect(failed.map(({ path: file, code }) => [file, code])).toEqual([
      ["calls/02.wav", "usage.invalid"],
      ["calls/09.wav", "not-found.source"],
    ]);
    expect(exhibits).toHaveLength(contents.size - 2);
    await rm(path.join(client.folder, "receipts", `B${ordinal}_26`, "ABC_3.receipt.json"), {
      recursive: true,
    });
    const again = await send([]);
    expect(again.failed).toEqual([]);
    expect(again.exhibits).toHaveLength(contents.size - 1);
  });

  it("are tried by themselves where the store refuses them together, and fail by themselves", async () => {
    client.onConnect = (connection) => {
      const { bundles } = connection;
      const refused = new ExhibitError("unavailable.no-space", "No room for this one.");
      Object.assign(connection, {
        bundles: {
          ...bundles,
          sendAll: async (...given: Parameters<NonNullable<typeof bundles>["sendAll"]>) => {
            const answers = (await bundles?.sendAll(...given)) ?? [];
            return answers.map((answer, index) => (index % 4 === 1 ? refused : answer));
          },
        },
      });
      connection.store.fail("put", "before", refused, 1);
    };
    const { exhibits, failed } = await send([]);
    client.onConnect = undefined;
    // Each was in the store although its answer was lost: it is found there, compared, and its receipt fetched.
    expect([exhibits.length, failed.length]).toEqual([contents.size, 0]);
    expect(exhibits.filter(({ outcome }) => outcome === "already-present")).toHaveLength(3);
  });

  const passed: Deed = { after: () => Promise.resolve() };
  it.each<[string, number, Rule[]]>([
    [
      "goes between two requests",
      16 * kib,
      [
        { on: bundle, deed: passed, times: 1 },
        { on: bundle, deed: { answer: 503 } },
      ],
    ],
    [
      "goes between two halves of one",
      256 * kib,
      [
        { on: bundle, deed: { answer: 413 }, times: 1 },
        { on: bundle, deed: passed, times: 1 },
        { on: bundle, deed: { answer: 503 } },
      ],
    ],
  ])("are all told of, each as what became of it, when the store %s", async (_, bytes, rules) => {
    const { exhibits, failed } = await send(rules, { partBytes: bytes, concurrency: 1 });
    expect(exhibits.length).toBeGreaterThan(0);
    expect(failed.length).toBeGreaterThan(0);
    const told = [
      ...exhibits.map(({ contents: [file] }) => file?.path),
      ...failed.map((one) => one.path),
    ];
    expect(told.sort()).toEqual([...contents.keys()]);
    expect(new Set(failed.map(({ code }) => code))).toEqual(new Set(["unavailable.store"]));
    await expectAllProved(await send([]));
  });

  it("wait while the store is gone, and are given up with what the caller has patience for", async () => {
    await expect(send([{ on: bundle, deed: { answer: 503 } }])).rejects.toMatchObject({
      code: "unavailable.store",
    });
    await expectAllProved(await send([]));
  });
});
