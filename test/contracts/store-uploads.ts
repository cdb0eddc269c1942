import { randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import type { Upload } from "../../src/evidence/ports/store.ts";
import { proves } from "../../src/evidence/proof.ts";
import { completed } from "./completed.ts";
import {
  begun,
  code,
  digestsOf,
  keysOf,
  listed,
  partAt,
  partsOf,
  read,
  signal,
  type Subject,
} from "./store-under-test.ts";

/** Parts in any order, by any process, proved as a whole, never over anything. */
export function describeUploads(subject: Subject, partBytes: number): void {
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
      if (size < subject.store.capabilities.minUploadBytes) {
        await expect(begun(subject, content)).rejects.toEqual(code("usage.invalid"));
        return;
      }
      const { upload, parts } = await begun(subject, content);
      for (const part of parts) await subject.store.putPart(upload, part, signal);
      const stored = await subject.store.complete(upload, digestsOf(content), signal);
      expect(stored).toMatchObject({ key: upload.key, sizeBytes: size });
      expect(stored.sha256).toBe(sha256Of(content));
      expect(proves(stored.proof, subject.store.capabilities.proof)).toBe(true);
      expect((await read(subject.store, upload.key)).equals(content)).toBe(true);
    });

    it("takes parts in any order, at once, and twice", async () => {
      const content = randomBytes(7 * partBytes + 123);
      const { upload, parts } = await begun(subject, content);
      const shuffled = [...parts.slice(4).reverse(), ...parts.slice(0, 4), ...parts.slice(2, 5)];
      await Promise.all(shuffled.map((part) => subject.store.putPart(upload, part, signal)));
      const durable = await subject.store.listParts(upload, signal);
      expect(durable).toEqual(listed(parts, durable[0]?.digest.algorithm));
      await subject.store.complete(upload, digestsOf(content), signal);
      expect((await read(subject.store, upload.key)).equals(content)).toBe(true);
    });

    it("goes on in another process with nothing but plain data", async () => {
      const content = randomBytes(4 * partBytes);
      const { upload, parts } = await begun(subject, content);
      const [first, second, ...rest] = parts;
      if (first === undefined || second === undefined) throw new Error("too few parts");
      await subject.store.putPart(upload, second, signal);
      const carried = JSON.parse(JSON.stringify(upload)) as Upload;
      const later = await subject.made.open();
      expect((await later.listParts(carried, signal)).map((part) => part.offset)).toEqual([
        partBytes,
      ]);
      for (const part of [first, ...rest]) await later.putPart(carried, part, signal);
      await later.complete(carried, digestsOf(content), signal);
      expect((await read(subject.store, upload.key)).equals(content)).toBe(true);
    });

    it("finds the unfinished upload of the same key and size again", async () => {
      const content = randomBytes(2 * partBytes);
      const { upload, parts } = await begun(subject, content);
      for (const part of parts.slice(0, 1)) await subject.store.putPart(upload, part, signal);
      const later = await subject.made.open();
      expect(await later.begin(upload.key, content.byteLength, partBytes, signal)).toEqual(upload);
      const listed = (await later.uploads(signal)).filter((one) => one.id === upload.id);
      expect(listed).toEqual([expect.objectContaining({ ...upload, receivedBytes: partBytes })]);
      await subject.store.abort(upload, signal);
    });

    it("gives two that begin at once the same upload", async () => {
      const key = subject.made.newKey();
      const stores = [
        subject.store,
        await subject.made.open(),
        subject.store,
        await subject.made.open(),
      ];
      const begun = await Promise.allSettled(
        stores.map(async (one) => (await one.begin(key, 5, partBytes, signal)).id),
      );
      // Without an atomic refusal there is no telling which came first; nothing is claimed of it then.
      if (!subject.store.capabilities.allotsReferences) return;
      const ids = begun.map((one): unknown =>
        one.status === "fulfilled" ? one.value : one.reason,
      );
      expect(new Set(ids).size).toBe(1);
    });

    it("refuses to finish while a part is missing, shows nothing, and goes on", async () => {
      const content = randomBytes(3 * partBytes);
      const { upload, parts } = await begun(subject, content);
      const [first, middle, last] = parts;
      if (first === undefined || middle === undefined || last === undefined) {
        throw new Error("too few parts");
      }
      await subject.store.putPart(upload, first, signal);
      await subject.store.putPart(upload, last, signal);
      await expect(subject.store.complete(upload, digestsOf(content), signal)).rejects.toEqual(
        code("integrity.mismatch"),
      );
      expect(await subject.store.stat(upload.key, signal)).toBeUndefined();
      await subject.store.putPart(upload, middle, signal);
      await subject.store.complete(upload, digestsOf(content), signal);
      expect(await subject.store.stat(upload.key, signal)).toMatchObject({
        sizeBytes: 3 * partBytes,
      });
    });

    it("refuses to finish as another whole, shows nothing, and finishes as the right one", async () => {
      // Where a store proves parts or less, the whole is what its sender made of them.
      if (!["whole", "read-back"].includes(subject.store.capabilities.proof)) return;
      const content = randomBytes(2 * partBytes);
      const { upload, parts } = await begun(subject, content);
      for (const part of parts) await subject.store.putPart(upload, part, signal);
      await expect(subject.store.complete(upload, digestsOf("another"), signal)).rejects.toEqual(
        code("integrity.mismatch"),
      );
      expect(await subject.store.stat(upload.key, signal)).toBeUndefined();
      expect(await keysOf(subject.store, upload.key)).toEqual([]);
      // The same upload; another where the engine had put it together, and it was taken away again.
      const { sizeBytes, partBytes: length } = upload;
      const held = await subject.store.begin(upload.key, sizeBytes, length, signal);
      if (held.id !== upload.id)
        for (const part of parts) await subject.store.putPart(held, part, signal);
      await subject.store.complete(held, digestsOf(content), signal);
      expect((await read(subject.store, upload.key)).equals(content)).toBe(true);
    });

    it("refuses a part whose byte was flipped and takes the right one after it", async () => {
      const content = randomBytes(partBytes);
      const { upload, first: part } = await begun(subject, content);
      const flipped = Buffer.from(part.bytes);
      flipped[500] = (flipped[500] ?? 0) ^ 1;
      await expect(
        subject.store.putPart(upload, { ...part, bytes: flipped }, signal),
      ).rejects.toEqual(code("integrity.mismatch"));
      expect(await subject.store.listParts(upload, signal)).toEqual([]);
      await subject.store.putPart(upload, part, signal);
      await subject.store.complete(upload, digestsOf(content), signal);
    });

    it("refuses other bytes for a part that it holds", async () => {
      const content = randomBytes(2 * partBytes);
      const { upload, parts } = await begun(subject, content);
      for (const part of parts) await subject.store.putPart(upload, part, signal);
      for (const other of partsOf(randomBytes(2 * partBytes), partBytes)) {
        await expect(subject.store.putPart(upload, other, signal)).rejects.toEqual(
          code("conflict.part-differs"),
        );
      }
      await subject.store.complete(upload, digestsOf(content), signal);
      expect((await read(subject.store, upload.key)).equals(content)).toBe(true);
    });

    it.each([
      ["empty", 0, 0],
      ["too long", 0, partBytes + 1],
      ["beyond the end", 3 * partBytes, partBytes],
      ["longer than what is left", 2 * partBytes, partBytes],
      ["at a negative offset", -partBytes, partBytes],
      ["at no whole number", 0.5, partBytes],
    ])("refuses a part that is %s", async (_, offset, length) => {
      const { upload } = await begun(subject, randomBytes(2 * partBytes + 500));
      await expect(
        subject.store.putPart(upload, partAt(offset, randomBytes(length)), signal),
      ).rejects.toEqual(code("usage.invalid"));
      expect(await subject.store.listParts(upload, signal)).toEqual([]);
      await subject.store.abort(upload, signal);
    });

    it.each([
      ["off the grid", partBytes / 2, partBytes],
      ["too short in the middle", 0, partBytes - 1],
    ])("takes a part that is %s only where it says so", async (_, offset, length) => {
      const { upload } = await begun(subject, randomBytes(2 * partBytes + 500));
      const part = partAt(offset, randomBytes(length));
      const putting = subject.store.putPart(upload, part, signal);
      if (subject.store.capabilities.parts.lengths === "any") await putting;
      else await expect(putting).rejects.toEqual(code("usage.invalid"));
      await subject.store.abort(upload, signal);
    });
    it("completes again after a lost reply, in another process too", async () => {
      const content = randomBytes(partBytes + 1);
      const { upload, parts } = await begun(subject, content);
      for (const part of parts) await subject.store.putPart(upload, part, signal);
      const first = await completed(subject.store, upload, content);
      expect(await completed(subject.store, upload, content)).toEqual(first);
      const later = await subject.made.open();
      expect(await completed(later, upload, content)).toEqual(first);
    });

    it("lets two complete one upload at once", async () => {
      const content = randomBytes(5 * partBytes);
      const { upload, parts } = await begun(subject, content);
      for (const part of parts) await subject.store.putPart(upload, part, signal);
      const stores = [subject.store, await subject.made.open(), subject.store];
      const stored = await Promise.all(stores.map((one) => completed(one, upload, content)));
      expect(new Set(stored.map((one) => JSON.stringify(one))).size).toBe(1);
    });

    it("never begins over a key that is taken", async () => {
      const key = subject.made.newKey();
      const bytes = randomBytes(20);
      await subject.store.put(key, bytes, sha256Of(bytes), signal);
      await expect(subject.store.begin(key, 20, partBytes, signal)).rejects.toEqual(
        code("conflict.exists"),
      );
    });

    it("never completes over a key that was taken meanwhile", async () => {
      const content = randomBytes(partBytes);
      const { upload, parts } = await begun(subject, content);
      for (const part of parts) await subject.store.putPart(upload, part, signal);
      const winner = randomBytes(partBytes);
      await subject.store.put(upload.key, winner, sha256Of(winner), signal);
      await expect(subject.store.complete(upload, digestsOf(content), signal)).rejects.toEqual(
        code("conflict.exists"),
      );
      expect((await read(subject.store, upload.key)).equals(winner)).toBe(true);
      await subject.store.abort(upload, signal);
    });

    it("forgets an aborted upload, and aborting what is not there is no error", async () => {
      const content = randomBytes(2 * partBytes);
      const { upload, first: part } = await begun(subject, content);
      await subject.store.putPart(upload, part, signal);
      await subject.store.abort(upload, signal);
      await subject.store.abort(upload, signal);
      const gone = code("not-found.upload");
      await expect(subject.store.putPart(upload, part, signal)).rejects.toEqual(gone);
      await expect(subject.store.listParts(upload, signal)).rejects.toEqual(gone);
      await expect(subject.store.complete(upload, digestsOf(content), signal)).rejects.toEqual(
        gone,
      );
      const again = await subject.store.begin(upload.key, content.byteLength, partBytes, signal);
      expect(again.id).not.toBe(upload.id);
      expect(await subject.store.listParts(again, signal)).toEqual([]);
      await subject.store.abort(again, signal);
    });

    it.each([
      ["a negative size", -1, partBytes, "usage.invalid"],
      ["half a byte", 0.5, partBytes, "usage.invalid"],
      ["parts of no bytes", 10, 0, "usage.invalid"],
      ["parts of negative length", 10, -5, "usage.invalid"],
    ])("refuses to begin with %s", async (_, size, length, expected) => {
      await expect(
        subject.store.begin(subject.made.newKey(), size, length, signal),
      ).rejects.toEqual(code(expected));
    });

    it("refuses more than it can hold before a byte is sent", async () => {
      const { maxObjectBytes, parts } = subject.store.capabilities;
      await expect(
        subject.store.begin(subject.made.newKey(), maxObjectBytes + 1, parts.maxBytes, signal),
      ).rejects.toEqual(code("policy.too-large"));
    });
  });
}
