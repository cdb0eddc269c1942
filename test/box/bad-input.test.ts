import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { Store } from "../../src/evidence/ports/store.ts";
import { code, digestsOf, partsOf } from "../contracts/store-under-test.ts";
import { startBox, type Box } from "../support/box/box.ts";
import { connectProxy } from "../support/box/connect-proxy.ts";
import type { Answer } from "../support/box/http/answer.ts";
import { rateLimited } from "../support/box/http/faults.ts";
import { boxFolder, unhurried, type BoxFolder } from "../support/box-store.ts";
import { key } from "../support/transfer-rig.ts";

const { signal } = new AbortController();
const partBytes = 64 * 1024;
const small = { ...unhurried, maxPutBytes: 100 * 1024, minUploadBytes: 100 * 1024 + 1 };

let box: Box;
beforeAll(async () => {
  box = await startBox({ settings: { minimumSessionBytes: 1, partBytes } });
});
afterAll(() => box.close());

let folder: BoxFolder;
let store: Store;
let runs = 0;
beforeEach(() => {
  runs += 1;
  folder = boxFolder(box, `Refused ${runs}`, { limits: small });
  store = folder.open();
});
afterEach(async () => {
  box.faults.clear();
  expect([box.ourViolations, box.unsound]).toEqual([[], []]);
  await folder.close();
});

/** How often Box was asked for something since. */
function asked(since: number, method: string, path: RegExp): number {
  return box.requests.slice(since).filter((one) => one.method === method && path.test(one.path))
    .length;
}

describe("what Box refuses", () => {
  const bytes = randomBytes(1000);
  const put = (): Promise<unknown> => store.put(key, bytes, sha256Of(bytes), signal);
  const begin = (): Promise<unknown> => store.begin(key, 8 * partBytes, partBytes, signal);

  it.each<[string, () => void, () => Promise<unknown>, string]>([
    ["a small file where there is no room", fillSpace, put, "unavailable.no-space"],
    ["a large file where there is no room", fillSpace, begin, "unavailable.no-space"],
    ["a small file beyond the plan's limit", limitPlan, put, "policy.too-large"],
    ["a large file beyond the plan's limit", limitPlan, begin, "policy.too-large"],
  ])("%s", async (_, happens, work, expected) => {
    const { spaceBytes, planFileBytes } = box.settings;
    happens();
    try {
      await expect(work()).rejects.toEqual(code(expected));
    } finally {
      Object.assign(box.settings, { spaceBytes, planFileBytes });
    }
  });
  function fillSpace(): void {
    box.settings.spaceBytes = 10;
  }
  function limitPlan(): void {
    box.settings.planFileBytes = 10;
  }

  it("a folder that this account is not shown", async () => {
    const stranger = boxFolder(box, `Refused ${runs}`, { limits: small, user: box.users.partner });
    for (const work of [
      stranger.open().put(key, bytes, sha256Of(bytes), signal),
      stranger.open().begin(key, 8 * partBytes, partBytes, signal),
      stranger.open().stat(key, signal),
      stranger.open().uploads(signal),
    ]) {
      await expect(work).rejects.toEqual(code("not-found.store"));
    }
    await stranger.close();
  });

  it.each([
    ["a folder of the case's name in other capitals", "a", "A", /other capitals/],
    ["a file of the folder's name", "A/ABC_1", "A/ABC_1", /called ABC_1/],
  ])("a key below %s", async (_, made, name, words) => {
    const root = `Refused ${runs}`;
    if (made === "a") box.folder(box.users.officer, `${root}/a`);
    else {
      const parent = box.folder(box.users.officer, `${root}/A`);
      await fileIn(parent, "ABC_1");
    }
    expect(name).toBeTruthy();
    await expect(put()).rejects.toMatchObject({ code: "conflict.exists", message: words });
    await expect(begin()).rejects.toMatchObject({ code: "conflict.exists", message: words });
  });

  it("a file whose name is there in other capitals, before its first byte", async () => {
    const parent = box.folder(box.users.officer, `Refused ${runs}/A/ABC_1`);
    await fileIn(parent, "abc_1-0001.MP4");
    const since = box.requests.length;
    await expect(begin()).rejects.toMatchObject({ code: "conflict.exists" });
    expect(asked(since, "PUT", /./)).toBe(0);
    await expect(put()).rejects.toMatchObject({ message: /other capitals/ });
    await expect(store.stat(key, signal)).rejects.toMatchObject({ message: /other capitals/ });
  });

  async function fileIn(parentId: string, name: string): Promise<void> {
    const form = new FormData();
    form.set("attributes", JSON.stringify({ name, parent: { id: parentId } }));
    form.set("file", new Blob(["x"]));
    const answer = await fetch(`${box.uploadUrl}/api/2.0/files/content`, {
      method: "POST",
      headers: { authorization: `Bearer ${box.developerToken(box.users.officer)}` },
      body: form,
    });
    expect(answer.status).toBe(201);
  }
});

describe("how fast Box is asked", () => {
  it("no more uploads begin in a minute than Box allows", async () => {
    const slow = boxFolder(box, `Refused ${runs}`, { limits: { ...small, uploadsPerMinute: 3 } });
    const quick = slow.open();
    const bytes = randomBytes(10);
    const keyOf = (n: number): string => `A/ABC_1/ABC_1-000${n}.mp4`;
    for (const n of [1, 2, 3]) await quick.put(keyOf(n), bytes, sha256Of(bytes), signal);
    const late = AbortSignal.timeout(300);
    const since = box.requests.length;
    await expect(quick.put(keyOf(4), bytes, sha256Of(bytes), late)).rejects.toThrow(/timeout/);
    expect(asked(since, "POST", /files\/content$/)).toBe(0);
    await slow.close();
  });

  it("everyone is silent while Box asks for it", async () => {
    box.settings.retryAfterSeconds = 1;
    const one = folder.open();
    await one.stat(key, signal);
    box.faults.next({ path: /items$/, answer: rateLimited(1) });
    const began = performance.now();
    await Promise.all([1, 2, 3].map(() => one.stat(key, signal)));
    expect(performance.now() - began).toBeGreaterThan(950);
  });

  it.each([
    ["one part at a time", "", 1],
    ["as many as the address says", "?zone-parts=3", 3],
  ])("a host of a zone gets %s", async (_, query, atOnce) => {
    const zoned = await startBox({ tls: true, settings: { minimumSessionBytes: 1, partBytes } });
    const proxy = await connectProxy(zoned);
    const through = { proxyUrl: proxy.url, query };
    const far = boxFolder(zoned, "Zone", { limits: small, through });
    const toZone = (answer: Answer): Answer => {
      const text = JSON.stringify(answer.json);
      const zone = text.replaceAll(zoned.sessionUrl, "https://fupload-ec2.app.box.com");
      return { ...answer, json: JSON.parse(zone) as unknown };
    };
    zoned.faults.next({ method: "POST", path: /upload_sessions$/, alter: toZone });
    const there = far.open();
    const content = randomBytes(5 * partBytes);
    const upload = await there.begin(key, content.byteLength, partBytes, signal);
    let release = (): void => undefined;
    const hold = new Promise<void>((resolve) => (release = resolve));
    zoned.faults.next({ method: "PUT", path: /./, hold, times: atOnce });
    const parts = partsOf(content, partBytes).map((part) => there.putPart(upload, part, signal));
    const arrived = (): number => zoned.requests.filter(({ method }) => method === "PUT").length;
    while (arrived() < atOnce) await there.stat(key, signal);
    // Whatever else was let go would have arrived meanwhile.
    for (let asked = 0; asked < 5; asked += 1) await there.stat(key, signal);
    expect(arrived()).toBe(atOnce);
    release();
    await Promise.all(parts);
    expect(await there.complete(upload, digestsOf(content), signal)).toMatchObject({ key });
    expect(proxy.asked).toContain("fupload-ec2.app.box.com:443");
    await far.close();
    await proxy.close();
    await zoned.close();
  });
});
