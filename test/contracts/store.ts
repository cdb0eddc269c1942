import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { Part, Store, Upload } from "../../src/evidence/ports/store.ts";
import { proofLevels, proves } from "../../src/evidence/proof.ts";

/** A real store and what the suite may write to in it. */
export interface StoreUnderTest {
  /** Opens it as another process would: nothing is shared but what the store itself keeps. */
  open(): Promise<Store>;
  /** A key that nothing lies under yet; `a` and `b` are two exhibits, `a` first in key order. */
  newKey(exhibit?: "a" | "b"): string;
  close(): Promise<void>;
}

const partBytes = 1000;
const signal = new AbortController().signal;

/** Cuts content into parts of the grid. */
export function partsOf(content: Uint8Array, length = partBytes): Part[] {
  const parts: Part[] = [];
  for (let offset = 0; offset < content.byteLength; offset += length) {
    const bytes = content.subarray(offset, offset + length);
    parts.push({ offset, length: bytes.byteLength, sha256: sha256Of(bytes), bytes });
  }
  return parts;
}

async function read(store: Store, key: string, range?: { start: number; end: number }) {
  return buffer(await store.open(key, range, signal));
}

async function keysOf(store: Store, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix, signal)) keys.push(key);
  return keys;
}

function code(value: string) {
  return expect.objectContaining({ code: value });
}

/** What every store must do. Run it against the real thing. */
export function describeStore(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`the ${name} store`, () => {
    let made: StoreUnderTest;
    let store: Store;
    beforeAll(async () => {
      made = await makeStore();
      store = await made.open();
    });
    afterAll(() => made.close());

    async function begun(content: Uint8Array): Promise<{ upload: Upload; parts: Part[] }> {
      const upload = await store.begin(made.newKey(), content.byteLength, partBytes, signal);
      return { upload, parts: partsOf(content, upload.partBytes) };
    }

    describe("put", () => {
      it.each([0, 1, 70_000])("stores %d bytes and gives them back", async (size) => {
        const key = made.newKey();
        const bytes = randomBytes(size);
        const stored = await store.put(key, bytes, sha256Of(bytes), signal);
        expect(stored).toEqual({
          key,
          sizeBytes: size,
          sha256: sha256Of(bytes),
          proof: stored.proof,
        });
        expect(proves(stored.proof, store.capabilities.proof)).toBe(true);
        expect((await read(store, key)).equals(bytes)).toBe(true);
        expect(await store.stat(key, signal)).toEqual({ key, sizeBytes: size });
      });

      it("succeeds again with the same bytes and refuses others", async () => {
        const key = made.newKey();
        const bytes = randomBytes(10);
        await store.put(key, bytes, sha256Of(bytes), signal);
        expect(await store.put(key, bytes, sha256Of(bytes), signal)).toMatchObject({ key });
        const other = randomBytes(10);
        await expect(store.put(key, other, sha256Of(other), signal)).rejects.toEqual(
          code("conflict.exists"),
        );
        expect((await read(store, key)).equals(bytes)).toBe(true);
      });

      it("keeps nothing of bytes that were changed on the way", async () => {
        const key = made.newKey();
        const digest = sha256Of(randomBytes(10));
        await expect(store.put(key, randomBytes(10), digest, signal)).rejects.toEqual(
          code("integrity.mismatch"),
        );
        expect(await store.stat(key, signal)).toBeUndefined();
      });

      it("lets one of many win a race and never mixes them", async () => {
        const key = made.newKey();
        const contents = Array.from({ length: 8 }, () => randomBytes(50_000));
        const other = await made.open();
        const results = await Promise.allSettled(
          contents.map((bytes, index) =>
            (index % 2 === 0 ? store : other).put(key, bytes, sha256Of(bytes), signal),
          ),
        );
        const won = results.flatMap((one, index) => (one.status === "fulfilled" ? [index] : []));
        expect(won).toHaveLength(1);
        for (const one of results) {
          if (one.status === "rejected") expect(one.reason).toEqual(code("conflict.exists"));
        }
        const winner = contents[won[0] ?? 0] ?? Buffer.alloc(0);
        expect((await read(store, key)).equals(winner)).toBe(true);
      });
    });

    describe("an upload in parts", () => {
      it.each([
        ["no byte at all", 0],
        ["one byte", 1],
        ["one part less a byte", partBytes - 1],
        ["exactly one part", partBytes],
        ["one part and a byte", partBytes + 1],
        ["exactly three parts", 3 * partBytes],
      ])("stores %s", async (_, size) => {
        const content = randomBytes(size);
        const { upload, parts } = await begun(content);
        for (const part of parts) await store.putPart(upload, part, signal);
        const stored = await store.complete(upload, sha256Of(content), signal);
        expect(stored).toMatchObject({ key: upload.key, sizeBytes: size });
        expect(stored.sha256).toBe(sha256Of(content));
        expect(proves(stored.proof, store.capabilities.proof)).toBe(true);
        expect((await read(store, upload.key)).equals(content)).toBe(true);
      });

      it("takes parts in any order, at once, and twice", async () => {
        const content = randomBytes(7 * partBytes + 123);
        const { upload, parts } = await begun(content);
        const shuffled = [...parts.slice(4).reverse(), ...parts.slice(0, 4), ...parts.slice(2, 5)];
        await Promise.all(shuffled.map((part) => store.putPart(upload, part, signal)));
        const durable = await store.listParts(upload, signal);
        expect(durable).toEqual(
          parts.map(({ offset, length, sha256 }) => ({ offset, length, sha256 })),
        );
        await store.complete(upload, sha256Of(content), signal);
        expect((await read(store, upload.key)).equals(content)).toBe(true);
      });

      it("goes on in another process with nothing but plain data", async () => {
        const content = randomBytes(4 * partBytes);
        const { upload, parts } = await begun(content);
        const [first, second, ...rest] = parts;
        if (first === undefined || second === undefined) throw new Error("too few parts");
        await store.putPart(upload, second, signal);
        const carried = JSON.parse(JSON.stringify(upload)) as Upload;
        const later = await made.open();
        expect((await later.listParts(carried, signal)).map((part) => part.offset)).toEqual([
          partBytes,
        ]);
        for (const part of [first, ...rest]) await later.putPart(carried, part, signal);
        await later.complete(carried, sha256Of(content), signal);
        expect((await read(store, upload.key)).equals(content)).toBe(true);
      });

      it("finds the unfinished upload of the same key and size again", async () => {
        const content = randomBytes(2 * partBytes);
        const { upload, parts } = await begun(content);
        for (const part of parts.slice(0, 1)) await store.putPart(upload, part, signal);
        const later = await made.open();
        expect(await later.begin(upload.key, content.byteLength, partBytes, signal)).toEqual(
          upload,
        );
        const listed = (await later.uploads(signal)).filter((one) => one.id === upload.id);
        expect(listed).toEqual([expect.objectContaining({ ...upload, receivedBytes: partBytes })]);
        await store.abort(upload, signal);
      });

      it("gives two that begin at once the same upload", async () => {
        const key = made.newKey();
        const stores = [store, await made.open(), store, await made.open()];
        const ids = await Promise.all(
          stores.map(async (one) => (await one.begin(key, 5, partBytes, signal)).id),
        );
        expect(new Set(ids).size).toBe(1);
      });

      it("refuses to finish while a part is missing, shows nothing, and goes on", async () => {
        const content = randomBytes(3 * partBytes);
        const { upload, parts } = await begun(content);
        const [first, middle, last] = parts;
        if (first === undefined || middle === undefined || last === undefined) {
          throw new Error("too few parts");
        }
        await store.putPart(upload, first, signal);
        await store.putPart(upload, last, signal);
        await expect(store.complete(upload, sha256Of(content), signal)).rejects.toEqual(
          code("integrity.mismatch"),
        );
        expect(await store.stat(upload.key, signal)).toBeUndefined();
        await store.putPart(upload, middle, signal);
        await store.complete(upload, sha256Of(content), signal);
        expect(await store.stat(upload.key, signal)).toMatchObject({ sizeBytes: 3 * partBytes });
      });

      it("refuses to finish as another whole, shows nothing, and finishes as the right one", async () => {
        const content = randomBytes(2 * partBytes);
        const { upload, parts } = await begun(content);
        for (const part of parts) await store.putPart(upload, part, signal);
        await expect(store.complete(upload, sha256Of("another"), signal)).rejects.toEqual(
          code("integrity.mismatch"),
        );
        expect(await store.stat(upload.key, signal)).toBeUndefined();
        expect(await keysOf(store, upload.key)).toEqual([]);
        await store.complete(upload, sha256Of(content), signal);
        expect((await read(store, upload.key)).equals(content)).toBe(true);
      });

      it("refuses a part whose byte was flipped and takes the right one after it", async () => {
        const content = randomBytes(partBytes);
        const { upload, parts } = await begun(content);
        const [part] = parts;
        if (part === undefined) throw new Error("too few parts");
        const flipped = Buffer.from(part.bytes);
        flipped[500] = (flipped[500] ?? 0) ^ 1;
        await expect(store.putPart(upload, { ...part, bytes: flipped }, signal)).rejects.toEqual(
          code("integrity.mismatch"),
        );
        expect(await store.listParts(upload, signal)).toEqual([]);
        await store.putPart(upload, part, signal);
        await store.complete(upload, sha256Of(content), signal);
      });

      it("refuses other bytes for a part that it holds", async () => {
        const content = randomBytes(2 * partBytes);
        const { upload, parts } = await begun(content);
        for (const part of parts) await store.putPart(upload, part, signal);
        for (const other of partsOf(randomBytes(2 * partBytes))) {
          await expect(store.putPart(upload, other, signal)).rejects.toEqual(
            code("conflict.part-differs"),
          );
        }
        await store.complete(upload, sha256Of(content), signal);
        expect((await read(store, upload.key)).equals(content)).toBe(true);
      });

      it.each([
        ["off the grid", 500, 1000],
        ["too short in the middle", 0, 999],
        ["too long", 0, 1001],
        ["beyond the end", 3000, 1000],
        ["longer than what is left", 2000, 1000],
        ["at a negative offset", -1000, 1000],
      ])("refuses a part that is %s", async (_, offset, length) => {
        const { upload } = await begun(randomBytes(2 * partBytes + 500));
        const bytes = randomBytes(length);
        await expect(
          store.putPart(upload, { offset, length, bytes, sha256: sha256Of(bytes) }, signal),
        ).rejects.toEqual(code("usage.invalid"));
        expect(await store.listParts(upload, signal)).toEqual([]);
        await store.abort(upload, signal);
      });

      it("completes again after a lost reply, in another process too", async () => {
        const content = randomBytes(partBytes + 1);
        const { upload, parts } = await begun(content);
        for (const part of parts) await store.putPart(upload, part, signal);
        const first = await store.complete(upload, sha256Of(content), signal);
        expect(await store.complete(upload, sha256Of(content), signal)).toEqual(first);
        const later = await made.open();
        expect(await later.complete(upload, sha256Of(content), signal)).toEqual(first);
      });

      it("lets two complete one upload at once", async () => {
        const content = randomBytes(5 * partBytes);
        const { upload, parts } = await begun(content);
        for (const part of parts) await store.putPart(upload, part, signal);
        const stores = [store, await made.open(), store];
        const stored = await Promise.all(
          stores.map((one) => one.complete(upload, sha256Of(content), signal)),
        );
        expect(new Set(stored.map((one) => JSON.stringify(one))).size).toBe(1);
      });

      it("never begins over a key that is taken", async () => {
        const key = made.newKey();
        const bytes = randomBytes(20);
        await store.put(key, bytes, sha256Of(bytes), signal);
        await expect(store.begin(key, 20, partBytes, signal)).rejects.toEqual(
          code("conflict.exists"),
        );
      });

      it("never completes over a key that was taken meanwhile", async () => {
        const content = randomBytes(partBytes);
        const { upload, parts } = await begun(content);
        for (const part of parts) await store.putPart(upload, part, signal);
        const winner = randomBytes(partBytes);
        await store.put(upload.key, winner, sha256Of(winner), signal);
        await expect(store.complete(upload, sha256Of(content), signal)).rejects.toEqual(
          code("conflict.exists"),
        );
        expect((await read(store, upload.key)).equals(winner)).toBe(true);
        await store.abort(upload, signal);
      });

      it("forgets an aborted upload, and aborting what is not there is no error", async () => {
        const content = randomBytes(2 * partBytes);
        const { upload, parts } = await begun(content);
        const [part] = parts;
        if (part === undefined) throw new Error("too few parts");
        await store.putPart(upload, part, signal);
        await store.abort(upload, signal);
        await store.abort(upload, signal);
        const gone = code("not-found.upload");
        await expect(store.putPart(upload, part, signal)).rejects.toEqual(gone);
        await expect(store.listParts(upload, signal)).rejects.toEqual(gone);
        await expect(store.complete(upload, sha256Of(content), signal)).rejects.toEqual(gone);
        const again = await store.begin(upload.key, content.byteLength, partBytes, signal);
        expect(again.id).not.toBe(upload.id);
        expect(await store.listParts(again, signal)).toEqual([]);
        await store.abort(again, signal);
      });

      it.each([
        ["a negative size", -1, partBytes, "usage.invalid"],
        ["half a byte", 0.5, partBytes, "usage.invalid"],
        ["parts of no bytes", 10, 0, "usage.invalid"],
        ["parts of negative length", 10, -5, "usage.invalid"],
      ])("refuses to begin with %s", async (_, size, length, expected) => {
        await expect(store.begin(made.newKey(), size, length, signal)).rejects.toEqual(
          code(expected),
        );
      });

      it("refuses more than it can hold before a byte is sent", async () => {
        const { maxObjectBytes, parts } = store.capabilities;
        await expect(
          store.begin(made.newKey(), maxObjectBytes + 1, parts.maxBytes, signal),
        ).rejects.toEqual(code("policy.too-large"));
      });
    });

    describe("reading", () => {
      it.each([
        [0, 1],
        [0, 5000],
        [4999, 5000],
        [1234, 3456],
        [2000, 2000],
      ])("gives the bytes from %d up to %d", async (start, end) => {
        const key = made.newKey();
        const bytes = randomBytes(5000);
        await store.put(key, bytes, sha256Of(bytes), signal);
        const found = await read(store, key, { start, end });
        expect(found.equals(bytes.subarray(start, end))).toBe(true);
      });

      it.each([
        [0, 11],
        [5, 4],
        [-1, 3],
      ])("refuses a range from %d to %d of ten bytes", async (start, end) => {
        const key = made.newKey();
        const bytes = randomBytes(10);
        await store.put(key, bytes, sha256Of(bytes), signal);
        await expect(store.open(key, { start, end }, signal)).rejects.toEqual(
          code("usage.invalid"),
        );
      });

      it("says that it holds nothing under an unknown or unfinished key", async () => {
        const { upload } = await begun(randomBytes(10));
        for (const key of [made.newKey(), upload.key]) {
          expect(await store.stat(key, signal)).toBeUndefined();
          await expect(store.open(key, undefined, signal)).rejects.toEqual(
            code("not-found.content"),
          );
        }
        await store.abort(upload, signal);
      });

      it("lists finished keys in key order, by prefix, and nothing unfinished", async () => {
        const bytes = randomBytes(3);
        const keys = [made.newKey("b"), made.newKey("a"), made.newKey("a"), made.newKey("b")];
        for (const key of keys) await store.put(key, bytes, sha256Of(bytes), signal);
        const { upload } = await begun(randomBytes(10));
        const all = await keysOf(store, "");
        expect(all).toEqual([...all].sort());
        expect(all).toEqual(expect.arrayContaining(keys));
        expect(all).not.toContain(upload.key);
        for (const key of keys) {
          const folder = key.slice(0, key.lastIndexOf("/") + 1);
          expect(await keysOf(store, folder)).toEqual(all.filter((one) => one.startsWith(folder)));
          expect(await keysOf(store, key)).toEqual([key]);
        }
        await store.abort(upload, signal);
      });

      it("finds nothing under a prefix that leads elsewhere", async () => {
        for (const prefix of ["../", "/", "zz", ".uploads/"]) {
          expect(await keysOf(store, prefix)).toEqual([]);
        }
      });
    });

    describe("anything that is not a key", () => {
      it.each([
        "",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "A/ABC_1/../../../x",
        "A/ABC_1/ABC_1-0001/..",
        "A/ABC_1/ABC_1-0001.mp4\0",
        "A\\ABC_1\\ABC_1-0001.mp4",
        ".uploads/x/content",
        "A/ABC_1/%2e%2e",
        "a/abc_1/abc_1-0001",
        `A/ABC_1/${"X".repeat(300)}`,
      ])("is refused: %j", async (key) => {
        const invalid = code("usage.invalid");
        const bytes = randomBytes(1);
        await expect(store.put(key, bytes, sha256Of(bytes), signal)).rejects.toEqual(invalid);
        await expect(store.begin(key, 1, 1, signal)).rejects.toEqual(invalid);
        await expect(store.open(key, undefined, signal)).rejects.toEqual(invalid);
        await expect(store.stat(key, signal)).rejects.toEqual(invalid);
      });
    });

    it("does nothing once it was told to stop, and says so with the given reason", async () => {
      const reason = new Error("told to stop");
      const stopped = AbortSignal.abort(reason);
      const content = randomBytes(10);
      const sha256 = sha256Of(content);
      const { upload, parts } = await begun(content);
      const [part] = parts;
      if (part === undefined) throw new Error("too few parts");
      const key = made.newKey();
      await expect(store.put(key, content, sha256, stopped)).rejects.toBe(reason);
      await expect(store.begin(key, 1, 1, stopped)).rejects.toBe(reason);
      await expect(store.putPart(upload, part, stopped)).rejects.toBe(reason);
      await expect(store.listParts(upload, stopped)).rejects.toBe(reason);
      await expect(store.complete(upload, sha256, stopped)).rejects.toBe(reason);
      await expect(store.uploads(stopped)).rejects.toBe(reason);
      await expect(store.stat(key, stopped)).rejects.toBe(reason);
      await expect(store.open(key, undefined, stopped)).rejects.toBe(reason);
      expect(await store.listParts(upload, signal)).toEqual([]);
      await store.abort(upload, signal);
    });

    it("says what it can do before anything is sent", () => {
      const { capabilities } = store;
      expect(proofLevels).toContain(capabilities.proof);
      expect(capabilities.parts.minBytes).toBeGreaterThan(0);
      expect(capabilities.parts.maxBytes).toBeGreaterThanOrEqual(8 * 1024 * 1024);
      expect(capabilities.maxPutBytes).toBeGreaterThanOrEqual(8 * 1024 * 1024);
      expect(store.url).toMatch(/^(?:file|https?):\/\//);
    });
  });
}
