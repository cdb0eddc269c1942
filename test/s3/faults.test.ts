import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { Store } from "../../src/evidence/ports/store.ts";
import { openNetwork } from "../../src/platform/network.ts";
import { openBucket } from "../../src/stores/s3/open-bucket.ts";
import { unchecked, type Enforced } from "../../src/stores/s3/enforced.ts";
import { s3Store } from "../../src/stores/s3/store.ts";
import { startAnsweringProxy, type AnsweringProxy, type Deed } from "../support/answering-proxy.ts";
import { bootCeph, type Ceph } from "../support/ceph.ts";
import { countedStore } from "../support/counted.ts";
import { asUser, makeBucket, succeed, type S3User } from "../support/s3-user.ts";
import { systemClock } from "../support/server.ts";
import { carry, key, makeRig, sha256, type TransferRig } from "../support/transfer-rig.ts";
import { unlimited } from "../support/unlimited.ts";

const mib = 1024 * 1024;
const partBytes = 5 * mib;
const { signal } = new AbortController();

/** What the check of such a bucket finds on Ceph. */
const onCeph: Enforced = {
  ...unchecked,
  payloadHash: true,
  contentMd5: true,
  noOverwritePut: true,
};

let ceph: Ceph;
let user: S3User;
let proxy: AnsweringProxy;
let network: ReturnType<typeof openNetwork>;
beforeAll(async () => {
  ceph = await bootCeph();
  user = { ...(await ceph.addUser()), url: ceph.url };
  Object.assign(process.env, asUser(user));
  proxy = await startAnsweringProxy(Number(new URL(ceph.url).port));
  network = openNetwork({
    proxyUrl: undefined,
    noProxy: undefined,
    caPem: undefined,
    pace: unlimited,
  });
});
afterAll(async () => {
  await network.close();
  await proxy.close();
  await ceph.close();
});

let bucket: string;
let rig: TransferRig;
let store: Store;
beforeEach(async () => {
  bucket = `faults-${randomUUID()}`;
  await makeBucket(user, bucket);
  store = s3Store(
    openBucket(`s3://${bucket}/evidence?endpoint=${proxy.url}`, {
      network,
      clock: systemClock,
      customerKey: undefined,
    }),
    onCeph,
    systemClock,
  );
  rig = await makeRig();
});
afterEach(async () => {
  proxy.rules = [];
  await rig.close();
});

const part = /^PUT .*[?&]partNumber=/;
const create = /^POST .*[?&]uploads/;
const complete = /^POST .*[?&]uploadId=/;
const list = /^GET .*[?&]uploadId=/;
const note = /^PUT .*\.uploads\//;
const whole = /^PUT .*\/ABC_1-0001\.mp4$/;
const head = /^HEAD /;

const xml = { "content-type": "application/xml" };
const slowDown = "<Error><Code>SlowDown</Code></Error>";
const internal = "<Error><Code>InternalError</Code></Error>";
const answered = (answer: number, body = "", headers = {}): Deed => ({
  answer,
  body,
  headers: { ...xml, ...headers },
});

/** Sends a file, a part at a time in its order, through the faults; what lies in the bucket then is the file, and nothing else. */
async function expectProved(size: number, on: RegExp, deed: Deed, times: number): Promise<number> {
  const location = await rig.write("x.mp4", size);
  const content = await readFile(location);
  proxy.rules = [{ on, deed, times }];
  const before = [proxy.applied, proxy.requests.length] as const;
  const counted = countedStore(store);
  const through: TransferRig = Object.create(rig, { store: { value: counted } }) as TransferRig;
  const done = await carry(through, location, { partBytes, concurrency: 2 });
  expect(proxy.applied - before[0]).toBe(times);
  expect(done).toMatchObject({ sizeBytes: size, sha256: sha256(content), proof: "parts" });
  proxy.rules = [];
  expect((await buffer(await store.open(key, undefined, signal))).equals(content)).toBe(true);
  expect(rig.source.bytesRead).toBe(size);
  const listed = await succeed(user, "GET", `/${bucket}`);
  expect([...listed.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, name]) => name)).toEqual([
    `evidence/${key}`,
  ]);
  expect(await succeed(user, "GET", `/${bucket}`, { query: "uploads=" })).not.toContain("<Upload>");
  return proxy.requests.slice(before[1]).reduce((sum, { bytes }) => sum + bytes, 0);
}

describe("a file gets into a bucket in parts", () => {
  const size = 3 * partBytes + 1000;
  it.each<[string, RegExp, Deed, number]>([
    ["503 SlowDown to a part", part, answered(503, slowDown), 3],
    ["503 with Retry-After", part, answered(503, slowDown, { "retry-after": "0" }), 2],
    ["500 to a part", part, answered(500, internal), 2],
    ["an error page of a proxy to a part", part, { answer: 502, body: "<h1>Bad Gateway</h1>" }, 2],
    [
      "the keys called too old in mid-file",
      part,
      answered(400, "<Error><Code>ExpiredToken</Code></Error>"),
      1,
    ],
    ["a lost answer to a part", part, { loseReply: true }, 2],
    ["a part that arrives twice", part, { twice: true }, 2],
    ["a part that another overtakes", part, { behind: 1 }, 1],
    ["a byte flipped on the way up", part, { flipUp: 77_777 }, 2],
    ["an answer instead of a part that was stored", part, { insteadOfReply: 500 }, 1],
    ["500 to the beginning", create, answered(500, internal), 1],
    ["a lost answer to the note", note, { loseReply: true }, 1],
    ["500 to the list of parts", list, answered(500, internal), 1],
    ["500 to a look at what is there", head, answered(500), 1],
    ["500 to the completion", complete, answered(500, internal), 1],
    ["200 with an error in it to the completion", complete, answered(200, internal), 1],
    [
      "a completion that was done, and 200 with an error in it",
      complete,
      { insteadOfReply: 200, headers: xml, body: internal },
      1,
    ],
    ["a lost answer to the completion", complete, { loseReply: true }, 1],
    ["a completion that arrives twice", complete, { twice: true }, 1],
    ["an answer to the completion cut short", complete, { truncateDown: 30 }, 1],
  ])("although there is %s", async (_, on, deed, times) => {
    const sent = await expectProved(size, on, deed, times);
    // At most what the fault struck goes up again, and the parts beside it.
    expect(sent).toBeLessThanOrEqual(size + (times + 1) * partBytes);
  });
});

it.each<[string, Deed, number]>([
  ["503 SlowDown", answered(503, slowDown), 2],
  ["a lost answer", { loseReply: true }, 1],
  ["a byte flipped on the way up", { flipUp: 500 }, 1],
  ["an answer instead of what was stored", { insteadOfReply: 502 }, 1],
])("a file gets into a bucket in one request although there is %s", async (_, deed, times) => {
  await expectProved(200_000, whole, deed, times);
});

it.each<[string, RegExp, Deed, string]>([
  [
    "a redirect of a part",
    part,
    answered(307, "", { location: "http://127.0.0.1:9/" }),
    "unavailable.",
  ],
  ["a part that is never stored and called so", part, { answer: 200, body: "" }, "integrity."],
])("%s is refused as what it is, and nothing becomes visible", async (_, on, deed, code) => {
  const location = await rig.write("x.mp4", 2 * partBytes);
  proxy.rules = [{ on, deed }];
  const through: TransferRig = Object.create(rig, {
    store: { value: countedStore(store) },
  }) as TransferRig;
  await expect(carry(through, location, { partBytes })).rejects.toMatchObject({
    code: expect.stringContaining(code),
  });
  expect(await store.stat(key, signal)).toBeUndefined();
});
