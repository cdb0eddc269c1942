import { randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { keptDiffers } from "../../src/evidence/kept.ts";
import type { Stored } from "../../src/evidence/ports/store.ts";
import { begun, digestsOf, signal, type Subject } from "./store-under-test.ts";

/** What a store says of a key without reading it, beside what it said when the bytes were stored. */
export function describeKept(subject: Subject): void {
  const put = (bytes: Buffer): Promise<Stored> =>
    subject.store.put(subject.made.newKey(), bytes, sha256Of(bytes), signal);
  const inParts = async (bytes: Buffer): Promise<Stored> => {
    const { upload, parts } = await begun(subject, bytes);
    for (const part of parts) await subject.store.putPart(upload, part, signal);
    return subject.store.complete(upload, digestsOf(bytes), signal);
  };

  describe.each([
    ["put in one request", put, (): number => 1000],
    ["put in parts", inParts, (): number => subject.partBytes + 1000],
  ] as const)("of what was %s", (_, store, size) => {
    it("the store keeps a digest of its own that stays the same, or none at all", async () => {
      const stored = await store(randomBytes(size()));
      const other = await subject.made.open();
      for (const one of [subject.store, other]) {
        const told = await one.stat(stored.key, signal);
        expect(told).toMatchObject({ key: stored.key, sizeBytes: stored.sizeBytes });
        expect(told?.kept === undefined).toBe(stored.kept === undefined);
        expect(keptDiffers(stored.kept ?? {}, told?.kept ?? {})).toEqual(
          stored.kept === undefined ? undefined : [],
        );
      }
    });

    it("the digest is another one where the bytes are others of the same length", async () => {
      const [stored, other] = [
        await store(randomBytes(size())),
        await store(randomBytes(size())),
      ] as const;
      const told = await subject.store.stat(other.key, signal);
      const differs = keptDiffers(stored.kept ?? {}, told?.kept ?? {});
      expect(differs).toEqual(
        stored.kept === undefined
          ? undefined
          : expect.arrayContaining([expect.stringMatching(/ETag|sha1/)]),
      );
    });
  });
}
