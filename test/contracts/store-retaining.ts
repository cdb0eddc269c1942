import { randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { sha256Of } from "../../src/evidence/digest.ts";
import { keepsAs, type Retention } from "../../src/evidence/retention.ts";
import { code, read, signal, type Subject } from "./store-under-test.ts";

/** Only what a store says it can do is asked of it, and what it cannot do changes nothing. */
export function describeRetaining(subject: Subject): void {
  describe("retain", () => {
    const until = new Date(Date.now() + 3000).toISOString();
    it.each<[what: "period" | "legalHold", asked: Retention]>([
      ["period", { period: { mode: "governance", until }, legalHold: false }],
      ["legalHold", { legalHold: true }],
    ])("keeps by %s, or refuses to and leaves all as it is", async (what, asked) => {
      const { made, store } = subject;
      const key = made.newKey();
      const bytes = randomBytes(100);
      await store.put(key, bytes, sha256Of(bytes), signal);
      const kept = store.retain(key, asked, signal).then((shown) => keepsAs(shown, asked));
      if (store.capabilities.retention[what]) expect(await kept).toBe(true);
      else await expect(kept).rejects.toEqual(code("policy.unsupported"));
      expect((await read(store, key)).equals(bytes)).toBe(true);
    });

    it("does nothing once it was told to stop", async () => {
      const reason = new Error("told to stop");
      const asked = { legalHold: true };
      const kept = subject.store.retain(subject.made.newKey(), asked, AbortSignal.abort(reason));
      await expect(kept).rejects.toBe(reason);
    });
  });
}
