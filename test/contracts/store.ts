import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { proofLevels } from "../../src/evidence/proof.ts";
import { describeKept } from "./store-kept.ts";
import { describePartLengths } from "./store-part-lengths.ts";
import { describePut } from "./store-put.ts";
import { describeReading } from "./store-reading.ts";
import { describeRetaining } from "./store-retaining.ts";
import { begun, code, signal, type StoreUnderTest, type Subject } from "./store-under-test.ts";
import { describeUploads } from "./store-uploads.ts";

/** What every store must do. Run it against the real thing. `partBytes` is what the parts of its uploads have in the tests. */
export function describeStore(
  name: string,
  makeStore: () => Promise<StoreUnderTest>,
  partBytes = 1000,
): void {
  describe(`the ${name} store`, () => {
    // Filled in before the first test.
    const subject = { partBytes } as Subject;
    beforeAll(async () => {
      subject.made = await makeStore();
      subject.store = await subject.made.open();
    });
    afterAll(() => subject.made.close());

    describePut(subject);
    describePartLengths(subject);
    describeUploads(subject, partBytes);
    describeReading(subject);
    describeKept(subject);
    describeRetaining(subject);

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
        await expect(subject.store.put(key, bytes, sha256Of(bytes), signal)).rejects.toEqual(
          invalid,
        );
        await expect(subject.store.begin(key, 1, 1, signal)).rejects.toEqual(invalid);
        await expect(subject.store.open(key, undefined, signal)).rejects.toEqual(invalid);
        await expect(subject.store.stat(key, signal)).rejects.toEqual(invalid);
      });
    });

    it("does nothing once it was told to stop, and says so with the given reason", async () => {
      const reason = new Error("told to stop");
      const stopped = AbortSignal.abort(reason);
      const content = randomBytes(10);
      const sha256 = sha256Of(content);
      const { upload, first: part } = await begun(subject, content);
      const key = subject.made.newKey();
      await expect(subject.store.put(key, content, sha256, stopped)).rejects.toBe(reason);
      await expect(subject.store.begin(key, 1, 1, stopped)).rejects.toBe(reason);
      await expect(subject.store.putPart(upload, part, stopped)).rejects.toBe(reason);
      await expect(subject.store.listParts(upload, stopped)).rejects.toBe(reason);
      await expect(subject.store.complete(upload, { sha256 }, stopped)).rejects.toBe(reason);
      await expect(subject.store.uploads(stopped)).rejects.toBe(reason);
      await expect(subject.store.stat(key, stopped)).rejects.toBe(reason);
      await expect(subject.store.open(key, undefined, stopped)).rejects.toBe(reason);
      expect(await subject.store.listParts(upload, signal)).toEqual([]);
      await subject.store.abort(upload, signal);
    });

    it("says what it can do before anything is sent", () => {
      const { capabilities } = subject.store;
      expect(proofLevels).toContain(capabilities.proof);
      expect(capabilities.parts.minBytes).toBeGreaterThan(0);
      expect(capabilities.parts.maxBytes).toBeGreaterThanOrEqual(8 * 1024 * 1024);
      expect(capabilities.maxPutBytes).toBeGreaterThanOrEqual(8 * 1024 * 1024);
      expect(subject.store.url).toMatch(/^(?:(?:file|https?|s3):\/\/|box:\d)/);
    });
  });
}
