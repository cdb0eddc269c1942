import { randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import {
  begun,
  code,
  digestsOf,
  listed,
  partAt,
  read,
  signal,
  type Subject,
} from "./store-under-test.ts";

/** Where a store takes parts of any length, they may lie anywhere, and never on one another. */
export function describePartLengths(subject: Subject): void {
  describe("an upload in parts of any length", () => {
    const takesAny = (): boolean => subject.store.capabilities.parts.lengths === "any";

    it("is put together from lengths of every kind, in any order", async () => {
      if (!takesAny()) return;
      const content = randomBytes(2500);
      const { upload } = await begun(subject, content);
      const cuts = [0, 1, 640, 641, 1000, 1900, 2499, 2500];
      const parts = cuts
        .slice(1)
        .map((end, index) => partAt(cuts[index] ?? 0, content.subarray(cuts[index], end)));
      await Promise.all(
        [...parts].reverse().map((part) => subject.store.putPart(upload, part, signal)),
      );
      expect(await subject.store.listParts(upload, signal)).toEqual(listed(parts, "sha256"));
      await subject.store.complete(upload, digestsOf(content), signal);
      expect((await read(subject.store, upload.key)).equals(content)).toBe(true);
    });

    it.each([
      ["begins in another", 999, 10],
      ["ends in another", 490, 11],
      ["lies in another", 600, 10],
      ["covers another", 400, 700],
      ["is the beginning of another", 500, 499],
      ["is longer than the other", 500, 501],
    ])("refuses a part that %s, even of the same bytes", async (_, offset, length) => {
      if (!takesAny()) return;
      const content = randomBytes(2500);
      const { upload } = await begun(subject, content);
      await subject.store.putPart(upload, partAt(500, content.subarray(500, 1000)), signal);
      const overlapping = partAt(offset, content.subarray(offset, offset + length));
      await expect(subject.store.putPart(upload, overlapping, signal)).rejects.toEqual(
        code("conflict.part-differs"),
      );
      await subject.store.putPart(upload, partAt(0, content.subarray(0, 500)), signal);
      for (const at of [1000, 2000]) {
        await subject.store.putPart(upload, partAt(at, content.subarray(at, at + 1000)), signal);
      }
      await subject.store.complete(upload, digestsOf(content), signal);
      expect((await read(subject.store, upload.key)).equals(content)).toBe(true);
    });

    it("keeps one of two that overlap and come at once", async () => {
      if (!takesAny()) return;
      const content = randomBytes(1000);
      const { upload } = await begun(subject, content);
      const two = [partAt(0, content.subarray(0, 600)), partAt(400, content.subarray(400))];
      const outcomes = await Promise.allSettled(
        two.map((part) => subject.store.putPart(upload, part, signal)),
      );
      expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(await subject.store.listParts(upload, signal)).toHaveLength(1);
      await subject.store.abort(upload, signal);
    });
  });
}
