import { randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { begun, code, keysOf, read, signal, type Subject } from "./store-under-test.ts";

/** Whole files, ranges and lists, of what is finished only. */
export function describeReading(subject: Subject): void {
  describe("reading", () => {
    it.each([
      [0, 1],
      [0, 5000],
      [4999, 5000],
      [1234, 3456],
      [2000, 2000],
    ])("gives the bytes from %d up to %d", async (start, end) => {
      const key = subject.made.newKey();
      const bytes = randomBytes(5000);
      await subject.store.put(key, bytes, sha256Of(bytes), signal);
      const found = await read(subject.store, key, { start, end });
      expect(found.equals(bytes.subarray(start, end))).toBe(true);
    });

    it.each([
      [0, 11],
      [5, 4],
      [-1, 3],
    ])("refuses a range from %d to %d of ten bytes", async (start, end) => {
      const key = subject.made.newKey();
      const bytes = randomBytes(10);
      await subject.store.put(key, bytes, sha256Of(bytes), signal);
      await expect(subject.store.open(key, { start, end }, signal)).rejects.toEqual(
        code("usage.invalid"),
      );
    });

    it("says that it holds nothing under an unknown or unfinished key", async () => {
      const { upload } = await begun(subject, randomBytes(10));
      for (const key of [subject.made.newKey(), upload.key]) {
        expect(await subject.store.stat(key, signal)).toBeUndefined();
        await expect(subject.store.open(key, undefined, signal)).rejects.toEqual(
          code("not-found.content"),
        );
      }
      await subject.store.abort(upload, signal);
    });

    it("lists finished keys in key order, by prefix, and nothing unfinished", async () => {
      const bytes = randomBytes(3);
      const keys = [
        subject.made.newKey("b"),
        subject.made.newKey("a"),
        subject.made.newKey("a"),
        subject.made.newKey("b"),
      ];
      for (const key of keys) await subject.store.put(key, bytes, sha256Of(bytes), signal);
      const { upload } = await begun(subject, randomBytes(10));
      const all = await keysOf(subject.store, "");
      expect(all).toEqual([...all].sort());
      expect(all).toEqual(expect.arrayContaining(keys));
      expect(all).not.toContain(upload.key);
      for (const key of keys) {
        const folder = key.slice(0, key.lastIndexOf("/") + 1);
        expect(await keysOf(subject.store, folder)).toEqual(
          all.filter((one) => one.startsWith(folder)),
        );
        expect(await keysOf(subject.store, key)).toEqual([key]);
      }
      await subject.store.abort(upload, signal);
    });

    it("finds nothing under a prefix that leads elsewhere", async () => {
      for (const prefix of ["../", "/", "zz", ".uploads/"]) {
        expect(await keysOf(subject.store, prefix)).toEqual([]);
      }
    });
  });
}
