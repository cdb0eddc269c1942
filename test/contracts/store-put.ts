import { randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { proves } from "../../src/evidence/proof.ts";
import { code, read, signal, type Subject } from "./store-under-test.ts";

/** One request, whole or not at all. */
export function describePut(subject: Subject): void {
  describe("put", () => {
    it.each([0, 1, 70_000])("stores %d bytes and gives them back", async (size) => {
      const key = subject.made.newKey();
      const bytes = randomBytes(size);
      const stored = await subject.store.put(key, bytes, sha256Of(bytes), signal);
      expect(stored).toMatchObject({ key, sizeBytes: size, sha256: sha256Of(bytes) });
      expect(proves(stored.proof, subject.store.capabilities.proof)).toBe(true);
      expect((await read(subject.store, key)).equals(bytes)).toBe(true);
      expect(await subject.store.stat(key, signal)).toMatchObject({ key, sizeBytes: size });
    });

    it("succeeds again with the same bytes and refuses others", async () => {
      const key = subject.made.newKey();
      const bytes = randomBytes(10);
      await subject.store.put(key, bytes, sha256Of(bytes), signal);
      expect(await subject.store.put(key, bytes, sha256Of(bytes), signal)).toMatchObject({ key });
      const other = randomBytes(10);
      await expect(subject.store.put(key, other, sha256Of(other), signal)).rejects.toEqual(
        code("conflict.exists"),
      );
      expect((await read(subject.store, key)).equals(bytes)).toBe(true);
    });

    it("keeps nothing of bytes that were changed on the way", async () => {
      const key = subject.made.newKey();
      const digest = sha256Of(randomBytes(10));
      await expect(subject.store.put(key, randomBytes(10), digest, signal)).rejects.toEqual(
        code("integrity.mismatch"),
      );
      expect(await subject.store.stat(key, signal)).toBeUndefined();
    });

    it("lets one of many win a race and never mixes them", async () => {
      const key = subject.made.newKey();
      const contents = Array.from({ length: 8 }, () => randomBytes(50_000));
      const other = await subject.made.open();
      const results = await Promise.allSettled(
        contents.map((bytes, index) =>
          (index % 2 === 0 ? subject.store : other).put(key, bytes, sha256Of(bytes), signal),
        ),
      );
      const won = results.flatMap((one, index) => (one.status === "fulfilled" ? [index] : []));
      // A store that cannot refuse by itself may tell two that they won; it says so in its capabilities, and mixes nothing.
      if (subject.store.capabilities.allotsReferences) expect(won).toHaveLength(1);
      else expect(won.length).toBeGreaterThan(0);
      for (const one of results) {
        if (one.status === "rejected") expect(one.reason).toEqual(code("conflict.exists"));
      }
      const there = await read(subject.store, key);
      expect(won.filter((index) => there.equals(contents[index] ?? Buffer.alloc(0)))).toHaveLength(
        1,
      );
    });
  });
}
