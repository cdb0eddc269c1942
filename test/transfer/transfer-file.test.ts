import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import type { Part } from "../../src/evidence/ports/store.ts";
import { choosePartBytes } from "../../src/transfer/part-size.ts";
import {
  breakOff,
  carry,
  key,
  makeRig,
  partBytes,
  sha256,
  stored,
  type TransferRig,
} from "../support/transfer-rig.ts";

const kib = 1024;

let rig: TransferRig;
beforeEach(async () => {
  rig = await makeRig();
});
afterEach(async () => {
  await rig.close();
});

describe("carrying a file", () => {
  it.each([
    ["nothing", 0],
    ["one byte", 1],
    ["a byte less than a part", partBytes - 1],
    ["one part", partBytes],
    ["a byte more than a part", partBytes + 1],
    ["an exact multiple of the part size", 5 * partBytes],
    ["many parts and a rest", 7 * partBytes + 13],
  ])("stores and proves %s, reading the source once", async (_, size) => {
    const location = await rig.write("x.mp4", size);
    const content = await readFile(location);
    const done = await carry(rig, location);
    expect(done).toMatchObject({
      key,
      sizeBytes: size,
      sha256: sha256(content),
      proof: "read-back",
      bytesSent: size,
      bytesSkipped: 0,
    });
    expect(Buffer.from(done.head)).toEqual(content.subarray(0, 64));
    expect((await stored(rig)).equals(content)).toBe(true);
    expect(rig.source.bytesRead).toBe(size);
    expect(rig.store.bytesSent).toBe(size);
    expect(rig.journal.file(rig.store.url, key)?.stored?.sha256).toBe(sha256(content));
    const told = rig.events.flatMap((event) => (event.type === "part-done" ? [event.bytes] : []));
    expect(told.reduce((sum, bytes) => sum + bytes, 0)).toBe(size);
    expect(rig.events.at(-1)).toMatchObject({ type: "file-done", proof: "read-back" });
  });

  it.each([
    ["in one request", partBytes],
    ["in parts", 3 * partBytes],
  ])("reads back what a store proves less of, where that is asked for: %s", async (_, size) => {
    const location = await rig.write("x.mp4", size);
    const real = { ...rig.store };
    rig.store.put = async (...about) => ({ ...(await real.put(...about)), proof: "transport" });
    rig.store.complete = async (...about) => ({
      ...(await real.complete(...about)),
      proof: "transport",
    });
    let opened = 0;
    rig.store.open = (...about) => {
      opened += 1;
      return real.open(...about);
    };
    expect((await carry(rig, location)).proof).toBe("transport");
    expect(opened).toBe(0);
    expect((await carry(rig, location, { requireProof: "read-back" })).proof).toBe("read-back");
    expect(opened).toBe(1);
    rig.store.open = () => Promise.resolve(Readable.from([randomBytes(size)]));
    await expect(carry(rig, location, { requireProof: "read-back" })).rejects.toMatchObject({
      code: "integrity.mismatch",
    });
  });

  it("does not take the journal's word for what is another object in the store now", async () => {
    const location = await rig.write("x.mp4", 3 * partBytes);
    const real = { ...rig.store };
    let etag = "a";
    rig.store.stat = async (...about) => {
      const told = await real.stat(...about);
      return told && { ...told, kept: { etag } };
    };
    rig.store.complete = async (...about) => ({
      ...(await real.complete(...about)),
      kept: { etag },
    });
    expect((await carry(rig, location)).kept).toEqual({ etag: "a" });
    expect((await carry(rig, location)).kept).toEqual({ etag: "a" });
    etag = "b";
    let opened = 0;
    rig.store.open = (...about) => {
      opened += 1;
      return real.open(...about);
    };
    // Read back, because something lies there, and found to be the same bytes all the same.
    expect(await carry(rig, location)).toMatchObject({ proof: "read-back", kept: { etag: "b" } });
    expect(opened).toBe(1);
  });

  it("keeps no more than the wanted number of parts in flight, and fills them", async () => {
    const location = await rig.write("x.mp4", 12 * partBytes);
    let inFlight = 0;
    let most = 0;
    const buffers = new Set<ArrayBufferLike>();
    const { store } = rig;
    const putPart = store.putPart.bind(store);
    store.putPart = async (upload, part, signal) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      buffers.add(part.bytes.buffer);
      await putPart(upload, part, signal).finally(() => (inFlight -= 1));
    };
    await carry(rig, location, { concurrency: 3 });
    expect(most).toBe(3);
    expect(buffers.size).toBe(3);
  });

  it("keeps a part's buffer as it is until the store has acknowledged that part", async () => {
    const location = await rig.write("x.mp4", 9 * partBytes);
    const held: { part: Part; copy: Buffer }[] = [];
    rig.store.beforePart = async (part) => {
      held.push({ part, copy: Buffer.from(part.bytes) });
      await new Promise((resolve) => setImmediate(resolve));
      expect(sha256(part.bytes)).toBe(part.sha256);
    };
    await carry(rig, location);
    expect(held.map(({ copy, part }) => sha256(copy) === part.sha256)).toEqual(
      Array<boolean>(9).fill(true),
    );
  });

  it("is taken as it is in the second run where nothing had arrived in the first", async () => {
    const location = await rig.write("x.mp4", 8 * partBytes);
    await breakOff(rig, location, 4);
    await rig.reopen();
    const file = await open(location, "r+");
    const { mtime } = await file.stat();
    await file.write(randomBytes(10), 0, 10, 7 * partBytes);
    await file.utimes(mtime, mtime);
    await file.close();
    const { sha256: said } = await carry(rig, location);
    const now = await readFile(location);
    expect((await stored(rig)).equals(now)).toBe(true);
    expect(said).toBe(sha256(now));
  });
});

describe("going on after an interruption", () => {
  it.each([
    ["at once", 0, undefined],
    ["after two parts", 2, undefined],
    ["before the last part", 9, undefined],
    ["after two parts, the state folder lost", 2, "journal"],
    ["before the last part, the state folder lost", 9, "journal"],
  ] as const)("broken off %s, sends only what is missing", async (_, after, without) => {
    const location = await rig.write("x.mp4", 10 * partBytes);
    const content = await readFile(location);
    await breakOff(rig, location, after);
    await rig.reopen(without);
    const done = await carry(rig, location);
    // What was acknowledged before is not sent again; of what was in flight the store may have kept some.
    expect(done.bytesSent + done.bytesSkipped).toBe(content.length);
    expect(done.bytesSkipped).toBeGreaterThanOrEqual((after - 2) * partBytes);
    expect(rig.store.bytesSent).toBe(done.bytesSent);
    expect(rig.source.bytesRead).toBe(content.length);
    expect(done.sha256).toBe(sha256(content));
    expect((await stored(rig)).equals(content)).toBe(true);
  });

  it("keeps the part size of the unfinished upload, whatever is wanted now", async () => {
    const location = await rig.write("x.mp4", 10 * partBytes);
    await breakOff(rig, location, 5);
    await rig.reopen();
    const done = await carry(rig, location, { partBytes: 1024 * kib });
    expect(done.bytesSkipped).toBeGreaterThanOrEqual(3 * partBytes);
    expect(done.bytesSent + done.bytesSkipped).toBe(10 * partBytes);
  });

  it.each([
    ["with the journal", undefined],
    ["without the journal", "journal"],
  ] as const)("sends nothing again of a file that was stored, %s", async (_, without) => {
    const location = await rig.write("x.mp4", 4 * partBytes);
    const first = await carry(rig, location);
    await rig.reopen(without);
    const second = await carry(rig, location);
    expect(second).toMatchObject({
      sha256: first.sha256,
      proof: first.proof,
      bytesSent: 0,
      bytesSkipped: 4 * partBytes,
    });
    expect(rig.store.bytesSent).toBe(0);
    expect(rig.source.bytesRead).toBeGreaterThan(0);
    expect(Buffer.from(second.head)).toEqual((await readFile(location)).subarray(0, 64));
  });

  it("refuses a key that holds other bytes of the same size", async () => {
    await carry(rig, await rig.write("x.mp4", 4 * partBytes));
    await rig.reopen("journal");
    await expect(carry(rig, await rig.write("y.mp4", 4 * partBytes))).rejects.toMatchObject({
      code: "conflict.exists",
    });
  });
});

describe("the part size", () => {
  const parts = { lengths: "one", minBytes: 5, maxBytes: 8 * 1024 * kib, maxParts: 10 } as const;
  const limits = {
    parts,
    maxPutBytes: 1,
    minUploadBytes: 0,
    comparesSha1: false,
    maxObjectBytes: 100 * 1024 * kib,
    proof: "whole",
    refusesOverwrite: true,
    allotsReferences: true,
    retention: { period: false, legalHold: false },
  } as const;
  it.each([
    ["is the wanted one", 100, 64, 64],
    ["is no less than the store takes", 10, 1, 5],
    ["is no more than the store takes", 100, 2 ** 40, 8 * 1024 * kib],
    [
      "is raised to whole MiB when the parts would be too many",
      10 * 64 * kib + 1,
      64 * kib,
      1024 * kib,
    ],
    ["stays when the parts are just few enough", 10 * 64 * kib, 64 * kib, 64 * kib],
    ["may be the largest", 80 * 1024 * kib, 64 * kib, 8 * 1024 * kib],
  ])("%s", (_, size, wanted, chosen) => {
    expect(choosePartBytes(size, wanted, limits)).toBe(chosen);
  });
  it.each([80 * 1024 * kib + 1, 100 * 1024 * kib + 1, Number.MAX_SAFE_INTEGER])(
    "does not exist for %d bytes",
    (size) => {
      expect(() => choosePartBytes(size, 1024 * kib, limits)).toThrow(
        expect.objectContaining({ code: "policy.too-large" }),
      );
    },
  );
});
