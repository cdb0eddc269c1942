import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { ExhibitError } from "../../src/evidence/errors.ts";
import type { GroupedContent, WholeFile } from "../../src/evidence/ports/grouped-content.ts";
import type { Store } from "../../src/evidence/ports/store.ts";
import { code, read, signal, type StoreUnderTest } from "./store-under-test.ts";

/** A real store with the grouped writes that belong to it. */
export interface GroupedUnderTest extends StoreUnderTest {
  openGrouped(store: Store): Promise<GroupedContent>;
}

/** What every store with grouped writes must do, beside what every store must. */
export function describeGroupedContent(
  name: string,
  makeStore: () => Promise<GroupedUnderTest>,
): void {
  describe(`the grouped writes of the ${name} store`, () => {
    let made: GroupedUnderTest;
    let store: Store;
    let grouped: GroupedContent;
    beforeAll(async () => {
      made = await makeStore();
      store = await made.open();
      grouped = await made.openGrouped(store);
    });
    afterAll(() => made.close());

    const fileOf = (key: string, bytes: Uint8Array = randomBytes(500)): WholeFile => ({
      key,
      bytes,
      sha256: sha256Of(bytes),
    });
    const files = (count: number): WholeFile[] =>
      Array.from({ length: count }, () => fileOf(made.newKey()));
    const outcomes = (answers: Awaited<ReturnType<GroupedContent["putAll"]>>): string[] =>
      answers.map((one) => (one instanceof ExhibitError ? one.code : one.proof));

    it("store as put does, and succeed again", async () => {
      const many = [...files(30), fileOf(made.newKey("b")), fileOf(made.newKey(), Buffer.alloc(0))];
      const stored = await grouped.putAll(many, signal);
      for (const [index, { key, bytes, sha256 }] of many.entries()) {
        expect((await read(store, key)).equals(bytes)).toBe(true);
        expect(stored[index]).toEqual(await store.put(key, bytes, sha256, signal));
      }
      expect(await grouped.putAll(many, signal)).toEqual(stored);
      expect(await grouped.putAll([], signal)).toEqual([]);
    });

    it("refuse one without touching the others", async () => {
      const [good, taken, changed, twice] = files(4);
      if (!good || !taken || !changed || !twice) throw new Error("No files.");
      await store.put(taken.key, taken.bytes, taken.sha256, signal);
      const answers = await grouped.putAll(
        [
          fileOf(taken.key),
          { ...changed, bytes: randomBytes(500) },
          fileOf("../../etc/passwd"),
          twice,
          fileOf(twice.key),
          taken,
          good,
        ],
        signal,
      );
      expect(outcomes(answers)).toEqual([
        "conflict.exists",
        "integrity.mismatch",
        "usage.invalid",
        ...["read-back", "conflict.exists", "read-back", "read-back"],
      ]);
      expect(await store.stat(changed.key, signal)).toBeUndefined();
      for (const { key, bytes } of [taken, twice, good]) {
        expect((await read(store, key)).equals(bytes)).toBe(true);
      }
    });

    it("let one of many win a race for the same keys and never mix them", async () => {
      const keys = files(10).map(({ key }) => key);
      const other = await made.openGrouped(await made.open());
      const groups = Array.from({ length: 4 }, () => keys.map((key) => fileOf(key)));
      const answers = await Promise.all(
        groups.map((group, index) => (index % 2 === 0 ? grouped : other).putAll(group, signal)),
      );
      for (const [index, key] of keys.entries()) {
        const won = groups.filter((_, at) => !(answers[at]?.[index] instanceof ExhibitError));
        expect(won).toHaveLength(1);
        expect((await read(store, key)).equals(won[0]?.[index]?.bytes ?? Buffer.of())).toBe(true);
      }
    });

    it("say in which folders something lies", async () => {
      const [file] = files(1);
      if (file === undefined) throw new Error("No file.");
      await grouped.putAll([file], signal);
      const folder = file.key.replace(/\/[^/]+$/, "");
      const found = await grouped.occupied([folder, "NONE/AAA_1", `${folder}_A`], signal);
      expect([...found]).toEqual([folder]);
    });

    it("do nothing once they were told to stop", async () => {
      const many = files(2);
      const reason = new Error("told to stop");
      const stopped = AbortSignal.abort(reason);
      await expect(grouped.putAll(many, stopped)).rejects.toBe(reason);
      await expect(grouped.occupied([], stopped)).rejects.toBe(reason);
      for (const { key } of many) expect(await store.stat(key, signal)).toBeUndefined();
    });

    it("make nothing visible when they are stopped on the way", async () => {
      const many = files(2);
      const stopped = new AbortController();
      const putting = grouped.putAll(many, stopped.signal);
      stopped.abort(new ExhibitError("unavailable.busy", "Stopped."));
      await expect(putting).rejects.toEqual(code("unavailable.busy"));
      for (const { key } of many) expect(await store.stat(key, signal)).toBeUndefined();
    });
  });
}
