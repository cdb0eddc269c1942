import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { randomBytes } from "node:crypto";
import {
  appendFile,
  chmod,
  open,
  readFile,
  rename,
  rm,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { ExhibitError } from "../../src/evidence/errors.ts";
import { storeGone } from "../support/counted.ts";
import {
  breakOff,
  carry,
  entryAt,
  key,
  makeRig,
  partBytes,
  sha256,
  shortPatience,
  stored,
  type TransferRig,
} from "../support/transfer-rig.ts";

let rig: TransferRig;
beforeEach(async () => {
  rig = await makeRig();
});
afterEach(async () => {
  await rig.close();
});

describe("a store that fails", () => {
  it.each([
    ["put", "before", 10],
    ["put", "after", 10],
    ["begin", "before", 5 * partBytes],
    ["begin", "after", 5 * partBytes],
    ["listParts", "before", 5 * partBytes],
    ["putPart", "before", 5 * partBytes],
    ["putPart", "after", 5 * partBytes],
    ["complete", "before", 5 * partBytes],
    ["complete", "after", 5 * partBytes],
  ] as const)("is asked again when %s fails %s it acted", async (call, when, size) => {
    const location = await rig.write("x.mp4", size);
    rig.store.fail(call, when, storeGone(), 3);
    const done = await carry(rig, location);
    expect(done.bytesSent).toBe(size);
    expect((await stored(rig)).equals(await readFile(location))).toBe(true);
    // Of several requests that find the store gone at once, one says so.
    const waits = rig.events.filter(({ type }) => type === "waiting").length;
    if (call === "putPart") expect(waits).toBeGreaterThanOrEqual(1);
    else expect(waits).toBe(3);
    expect(rig.source.bytesRead).toBe(size);
  });

  it("is left as soon as patience ends, and what it has acknowledged is kept", async () => {
    const location = await rig.write("x.mp4", 6 * partBytes);
    let parts = 0;
    rig.store.beforePart = () => {
      parts += 1;
      if (parts > 3) throw storeGone();
    };
    await expect(carry(rig, location)).rejects.toMatchObject({
      code: "unavailable.store",
      facts: { tries: expect.any(Number) },
      hint: expect.stringContaining("exhibit resume"),
    });
    rig.store.beforePart = undefined;
    await rig.reopen();
    expect((await carry(rig, location)).bytesSkipped).toBe(3 * partBytes);
  });

  it.each([200, 307, 404])(
    "is not asked for ever when it answers with status %d and no sense",
    async (status) => {
      const location = await rig.write("x.mp4", 10);
      rig.store.fail("put", "before", storeGone({ status }), 99);
      const patience = { ...shortPatience, giveUpAfterMs: Infinity };
      await expect(carry(rig, location, { patience })).rejects.toMatchObject({
        code: "unavailable.store",
        facts: { tries: shortPatience.tries },
      });
    },
  );

  it("is given the time it asks for, and no longer than patience lasts", async () => {
    const location = await rig.write("x.mp4", 10);
    rig.store.fail("put", "before", storeGone({ retryAfterSeconds: 0.2 }));
    const before = performance.now();
    await carry(rig, location);
    expect(performance.now() - before).toBeGreaterThanOrEqual(199);
    expect(rig.events).toContainEqual(
      expect.objectContaining({ type: "waiting", reason: "The store does not answer." }),
    );
    rig.store.fail("stat", "before", storeGone({ retryAfterSeconds: 3600 }));
    await expect(carry(rig, location)).rejects.toMatchObject({ code: "unavailable.store" });
  });

  it("stops a wait at once when interrupted", async () => {
    const location = await rig.write("x.mp4", 10);
    const stop = new AbortController();
    rig.store.fail("put", "before", storeGone({ retryAfterSeconds: 1 }), 9);
    const running = carry(rig, location, {
      signal: stop.signal,
      patience: { ...shortPatience, giveUpAfterMs: 60_000 },
    });
    setImmediate(() => {
      stop.abort(new Error("stopped by the test"));
    });
    await expect(running).rejects.toThrow("stopped by the test");
  });

  it.each([
    ["unavailable.no-space", "putPart"],
    ["policy.quota", "begin"],
    ["policy.too-large", "begin"],
    ["auth.identity-revoked", "putPart"],
    ["conflict.part-differs", "putPart"],
    ["integrity.mismatch", "complete"],
  ] as const)("is not asked again after %s from %s, and everything stops", async (code, call) => {
    const location = await rig.write("x.mp4", 40 * partBytes);
    rig.store.fail(call, "before", new ExhibitError(code, "No."));
    await expect(carry(rig, location)).rejects.toMatchObject({ code });
    expect(rig.events.filter(({ type }) => type === "waiting")).toHaveLength(0);
    if (call !== "complete") expect(rig.store.tries.length).toBeLessThan(10);
    expect(await rig.store.stat(key, new AbortController().signal)).toBeUndefined();
  });

  it.each([
    ["goes on when a part was changed on its way once", 1, true],
    ["goes on when it was changed three times", 3, true],
    ["stops when it is changed every time", 40, false],
  ])("%s", async (_, times, arrives) => {
    const location = await rig.write("x.mp4", partBytes + 1);
    const mismatch = new ExhibitError("integrity.mismatch", "A part was changed on its way.");
    rig.store.fail("putPart", "before", mismatch, times);
    const done = carry(rig, location, { concurrency: 1 });
    if (arrives) {
      expect((await done).bytesSent).toBe(partBytes + 1);
      expect(rig.store.tries).toHaveLength(2 + times);
    } else {
      await expect(done).rejects.toMatchObject({ code: "integrity.mismatch" });
      expect(rig.store.tries).toHaveLength(4);
    }
  });

  it("finds bytes that changed in this computer's own memory", async () => {
    const location = await rig.write("x.mp4", 3 * partBytes);
    rig.store.beforePart = (part) => {
      part.bytes[7] = (part.bytes[7] ?? 0) ^ 1;
    };
    await expect(carry(rig, location)).rejects.toMatchObject({
      code: "integrity.mismatch",
      message: expect.stringContaining("this computer's memory"),
    });
    expect(await rig.store.stat(key, new AbortController().signal)).toBeUndefined();
  });

  it("is told the same bytes in every try, although the source changes in between", async () => {
    const location = await rig.write("x.mp4", 3 * partBytes);
    const before = sha256((await readFile(location)).subarray(0, partBytes));
    rig.store.fail("putPart", "before", storeGone(), 2);
    rig.store.beforePart = async () => {
      const file = await open(location, "r+");
      await file.write(randomBytes(10), 0, 10, 5);
      await file.close();
    };
    await expect(carry(rig, location, { concurrency: 1 })).rejects.toMatchObject({
      code: "integrity.source-changed",
    });
    expect(rig.store.tries).toEqual(Array(3).fill({ offset: 0, sha256: before }));
  });

  it("is not believed when it speaks of other bytes", async () => {
    const location = await rig.write("x.mp4", 3 * partBytes);
    const { store } = rig;
    const complete = store.complete.bind(store);
    store.complete = async (...given) => ({
      ...(await complete(...given)),
      sha256: "0".repeat(64),
    });
    await expect(carry(rig, location)).rejects.toMatchObject({ code: "integrity.mismatch" });
    expect(rig.journal.file(store.url, key)?.stored).toBeUndefined();
  });
});

/** The same bytes as another file under the same name: another inode, another time. */
async function renewed(at: string): Promise<void> {
  await writeFile(`${at}.new`, await readFile(at));
  await rename(`${at}.new`, at);
}

describe("a source that does not stay as it is", () => {
  const changes = [
    ["grows", (at: string) => appendFile(at, "more")],
    ["shrinks", (at: string) => truncate(at, 2 * partBytes)],
    ["vanishes", (at: string) => rm(at)],
    ["is replaced", (at: string) => renewed(at)],
    [
      "is rewritten with size and time kept",
      async (at: string) => {
        const file = await open(at, "r+");
        const { mtime } = await file.stat();
        await file.write(randomBytes(10), 0, 10, 7 * partBytes);
        await file.utimes(mtime, mtime);
        await file.close();
      },
    ],
  ] as const;

  it.each(changes)("is refused when it %s while it is read", async (_, change) => {
    const location = await rig.write("x.mp4", 8 * partBytes);
    rig.source.afterRead = async (offset) => {
      if (offset === 3 * partBytes) await change(location);
    };
    await expect(carry(rig, location)).rejects.toMatchObject({ code: "integrity.source-changed" });
    expect(await rig.store.stat(key, new AbortController().signal)).toBeUndefined();
  });

  it.each(changes)("is refused when it %s after its last byte was read", async (_, change) => {
    const location = await rig.write("x.mp4", 8 * partBytes);
    let last = false;
    rig.store.beforePart = async ({ offset }) => {
      if (offset !== 7 * partBytes) return;
      last = true;
      await change(location);
    };
    await expect(carry(rig, location)).rejects.toMatchObject({ code: "integrity.source-changed" });
    expect(last).toBe(true);
    expect(await rig.store.stat(key, new AbortController().signal)).toBeUndefined();
  });

  it.each([
    ["grows", (at: string) => appendFile(at, "more")],
    ["shrinks", (at: string) => truncate(at, 2 * partBytes)],
    [
      "is rewritten where it has arrived, size and time kept,",
      async (at: string) => {
        const file = await open(at, "r+");
        const { mtime } = await file.stat();
        await file.write(randomBytes(10), 0, 10, 5);
        await file.utimes(mtime, mtime);
        await file.close();
      },
    ],
  ])("is refused when it %s between two runs, with how to go on", async (_, change) => {
    const location = await rig.write("x.mp4", 8 * partBytes);
    await breakOff(rig, location, 4);
    await rig.reopen();
    await change(location);
    const [upload] = await rig.store.uploads(new AbortController().signal);
    await expect(carry(rig, location)).rejects.toMatchObject({
      code: "integrity.source-changed",
      hint: expect.stringContaining(`exhibit uploads abort ${upload?.id ?? "?"}`),
    });
    expect(rig.store.bytesSent).toBe(0);
  });

  it.each([
    ["its permissions change", (at: string) => chmod(at, 0o400)],
    ["it has another time", (at: string) => utimes(at, 1, 1)],
    ["it lies on another disk", (at: string) => renewed(at)],
  ])("goes on where it was although %s between two runs", async (_, change) => {
    const location = await rig.write("x.mp4", 8 * partBytes);
    await breakOff(rig, location, 4);
    await rig.reopen();
    await change(location);
    const { bytesSkipped, bytesSent } = await carry(rig, location);
    expect(bytesSkipped).toBeGreaterThanOrEqual(2 * partBytes);
    expect(bytesSent).toBe(8 * partBytes - bytesSkipped);
    expect((await stored(rig)).equals(await readFile(location))).toBe(true);
  });

  it("is refused when a part in the store is not what it has now, although the journal is lost", async () => {
    const location = await rig.write("x.mp4", 8 * partBytes);
    await breakOff(rig, location, 4);
    await rig.reopen("journal");
    const file = await open(location, "r+");
    await file.write(randomBytes(10), 0, 10, 5);
    await file.close();
    await expect(carry(rig, location)).rejects.toMatchObject({
      code: "integrity.source-changed",
      facts: expect.objectContaining({ offset: 0 }),
    });
    expect(rig.store.tries.length).toBe(0);
  });

  it("is refused when a stored file's source was changed since, sizes and times kept", async () => {
    const location = await rig.write("x.mp4", 2 * partBytes);
    await carry(rig, location);
    const entry = await entryAt(rig.source, location);
    await writeFile(location, randomBytes(2 * partBytes));
    await utimes(location, entry.modifiedAtMs / 1000, entry.modifiedAtMs / 1000);
    await expect(carry(rig, location)).rejects.toMatchObject({
      code: "integrity.source-changed",
      hint: expect.stringContaining("new exhibit"),
    });
  });

  it("may be uploaded as it is now once its unfinished upload is aborted", async () => {
    const location = await rig.write("x.mp4", 8 * partBytes);
    await breakOff(rig, location, 4);
    await appendFile(location, "more");
    const { store, journal } = rig;
    for (const upload of await store.uploads(new AbortController().signal)) {
      await store.abort(upload, new AbortController().signal);
    }
    journal.forgetFile(store.url, key);
    expect((await carry(rig, location)).sizeBytes).toBe(8 * partBytes + 4);
  });
});
