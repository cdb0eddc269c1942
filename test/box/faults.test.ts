import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { Store } from "../../src/evidence/ports/store.ts";
import { startBox, type Box } from "../support/box/box.ts";
import type { Answer } from "../support/box/http/answer.ts";
import {
  failure,
  gatewayPage,
  rateLimited,
  refusedToken,
  type PlannedFault,
} from "../support/box/http/faults.ts";
import { boxFolder, unhurried, type BoxFolder } from "../support/box-store.ts";
import { countedStore } from "../support/counted.ts";
import { carry, key, makeRig, sha256, type TransferRig } from "../support/transfer-rig.ts";

const kib = 1024;
const partBytes = 64 * kib;
const maxPutBytes = 100 * kib;
const { signal } = new AbortController();

let box: Box;
let folder: BoxFolder;
let rig: TransferRig;
let store: Store;
beforeAll(async () => {
  box = await startBox({ settings: { minimumSessionBytes: 1, partBytes, retryAfterSeconds: 1 } });
});
afterAll(() => box.close());
let runs = 0;
beforeEach(async () => {
  runs += 1;
  const limits = { ...unhurried, maxPutBytes, minUploadBytes: maxPutBytes + 1 };
  folder = boxFolder(box, `Evidence ${runs}`, { limits });
  store = countedStore(folder.open());
  rig = await makeRig();
});
afterEach(async () => {
  box.faults.clear();
  expect([box.ourViolations, box.unsound]).toEqual([[], []]);
  await rig.close();
  await folder.close();
});

/** What lies in the store's folder, by path. */
function there(): string[] {
  const root = `Evidence ${runs}/`;
  return [...box.tree()].flatMap(([path, { kind }]) =>
    kind === "file" && path.startsWith(root) ? [path.slice(root.length)] : [],
  );
}

/** Sends a file through the faults; what lies in Box then is the file, read once, and nothing else. Gives the bytes that went up. */
async function expectArrived(size: number, faults: readonly PlannedFault[]): Promise<number> {
  const location = await rig.write("x.mp4", size);
  const content = await readFile(location);
  const [struck, requests] = [box.faults.struck, box.requests.length];
  for (const fault of faults) box.faults.next(fault);
  const through = Object.create(rig, { store: { value: store } }) as TransferRig;
  const done = await carry(through, location, { partBytes, concurrency: 2 });
  expect(box.faults.pending).toBe(0);
  expect(box.faults.struck - struck).toBe(faults.reduce((sum, { times = 1 }) => sum + times, 0));
  expect(done).toMatchObject({ sizeBytes: size, sha256: sha256(content), proof: "transport" });
  expect(rig.source.bytesRead).toBe(size);
  expect((await buffer(await store.open(key, undefined, signal))).equals(content)).toBe(true);
  expect(there()).toEqual([key]);
  expect(await store.uploads(signal)).toEqual([]);
  return box.requests.slice(requests).reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
}

const part = { method: "PUT", path: /upload_sessions\/\w+$/ };
const create = { method: "POST", path: /\/files\/upload_sessions$/ };
const commit = { method: "POST", path: /\/commit$/ };
const list = { method: "GET", path: /\/parts$/ };
const status = { method: "GET", path: /upload_sessions\/\w+$/ };
const whole = { method: "POST", path: /\/files\/content$/ };
const anywhere = { path: /./ };

const trouble = failure(500, "internal_server_error", "Internal");
const nothing = gatewayPage(404);
const unavailable = failure(503, "unavailable", "Unavailable");

describe("a file gets into Box in parts", () => {
  const size = 3 * partBytes + 1000;
  it.each<[string, PlannedFault[]]>([
    ["500 after a part was stored", [{ ...part, storeThenAnswer: trouble, times: 2 }]],
    ["503 after a part was stored", [{ ...part, storeThenAnswer: unavailable }]],
    ["500 before a part was stored", [{ ...part, answer: trouble, times: 2 }]],
    ["an error page of a proxy to a part", [{ ...part, answer: gatewayPage(), times: 2 }]],
    ["a part cut in the middle", [{ ...part, cut: 10_000, times: 2 }]],
    ["a part that gets no answer", [{ ...part, cut: "unanswered", times: 2 }]],
    ["an answer to a part cut short", [{ ...part, cut: "answer" }]],
    ["429 to a part", [{ ...part, answer: rateLimited(1) }]],
    ["429 to whatever comes first", [{ ...anywhere, answer: rateLimited(1) }]],
    ["401 to a part", [{ ...part, answer: refusedToken() }]],
    ["a part echoed with another SHA-1", [{ ...part, alter: otherSha1 }]],
    ["500 to the beginning", [{ ...create, answer: trouble }]],
    ["a session whose beginning got no answer", [{ ...create, cut: "unanswered" }]],
    ["a note whose writing got no answer", [{ ...whole, cut: "unanswered" }]],
    ["500 to the list of parts", [{ ...list, answer: trouble, times: 2 }]],
    ["500 to the commit", [{ ...commit, answer: trouble }]],
    ["503 after the commit took effect", [{ ...commit, storeThenAnswer: unavailable }]],
    ["a commit that gets no answer", [{ ...commit, cut: "unanswered" }]],
    ["an answer to the commit cut short", [{ ...commit, cut: "answer" }]],
    ["a committed file told with another SHA-1", [{ ...commit, alter: otherSha1 }]],
    [
      "parts that Box does not know yet",
      [{ ...commit, answer: failure(400, "parts_mismatch", "Parts mismatch"), times: 3 }],
    ],
    [
      "a name that Box is still busy with",
      [{ ...commit, answer: failure(409, "name_temporarily_reserved", "Reserved"), times: 2 }],
    ],
    ["a proxy that finds nothing at a part's address", [{ ...part, answer: nothing, after: 2 }]],
    ["one that finds nothing where parts are listed", [{ ...list, answer: nothing, after: 1 }]],
    [
      "one that finds nothing at the address of the whole",
      [
        { ...commit, answer: nothing },
        { ...status, answer: nothing },
      ],
    ],
    [
      "Box, which does not find a part of a session that it knows",
      [{ ...part, answer: failure(404, "not_found", "Not Found"), after: 2 }],
    ],
    ["a slow answer", [{ ...commit, drip: { bytes: 50, everyMs: 5 } }]],
  ])("although there is %s", async (_, faults) => {
    const sent = await expectArrived(size, faults);
    const times = faults.reduce((sum, { times: each = 1 }) => sum + each, 0);
    // At most what the fault struck goes up again, and notes and lists beside it.
    expect(sent).toBeLessThanOrEqual(size + (times + 1) * partBytes);
  });

  it("sends no part again that had been stored before 500 was answered", async () => {
    const sent = await expectArrived(size, [{ ...part, storeThenAnswer: trouble, times: 3 }]);
    expect(sent).toBeLessThan(size + 10_000);
  });

  it("waits for as long as Box wants to process parts", async () => {
    box.settings.commitNotReady = 3;
    try {
      const before = performance.now();
      await expectArrived(size, []);
      expect(performance.now() - before).toBeGreaterThan(2900);
    } finally {
      box.settings.commitNotReady = 0;
    }
  });

  it.each([partBytes * 2, partBytes * 3, partBytes * 3 + 1, partBytes * 3 - 1])(
    "of %d bytes",
    async (bytes) => {
      await expectArrived(bytes, []);
    },
  );
});

describe("a file gets into Box in one request", () => {
  it.each<[string, PlannedFault[]]>([
    ["nothing wrong", []],
    ["500 after it was stored", [{ ...whole, storeThenAnswer: trouble }]],
    ["503 after it was stored", [{ ...whole, storeThenAnswer: unavailable, times: 2 }]],
    ["no answer", [{ ...whole, cut: "unanswered" }]],
    ["a cut in the middle", [{ ...whole, cut: 5000 }]],
    ["an error page", [{ ...whole, answer: gatewayPage() }]],
    ["another SHA-1 in the answer", [{ ...whole, alter: otherSha1 }]],
    ["429", [{ ...whole, answer: rateLimited(1), times: 2 }]],
    ["a folder that was made without an answer", [{ path: /\/folders$/, cut: "unanswered" }]],
  ])("with %s", async (_, faults) => {
    await expectArrived(50_000, faults);
  });
});

describe("a file is read from Box", () => {
  const content = { method: "GET", path: /\/files\/\d+\/content$/ };
  it.each<[string, PlannedFault]>([
    ["429", { ...content, answer: rateLimited(1), times: 2 }],
    ["503", { ...content, answer: unavailable, times: 2 }],
    ["an error page", { ...content, answer: gatewayPage(), times: 2 }],
  ])("although Box answers with %s at first", async (_, fault) => {
    const bytes = Buffer.from("content");
    await store.put(key, bytes, sha256(bytes), signal);
    box.faults.next(fault);
    expect((await buffer(await store.open(key, undefined, signal))).equals(bytes)).toBe(true);
    expect(box.faults.pending).toBe(0);
  });
});

/** As Box would answer if it had stored other bytes. */
function otherSha1(answer: Answer): Answer {
  const text = JSON.stringify(answer.json).replaceAll(
    /"sha1":"[0-9a-f]{40}"/g,
    `"sha1":"${"0".repeat(40)}"`,
  );
  return { ...answer, json: JSON.parse(text) as unknown };
}
