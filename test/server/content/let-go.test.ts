import { expect, it } from "@jest/globals";
import { letGo } from "../../../src/server/content/let-go.ts";

it("frees the memory of bytes that have it to themselves, and of no others", () => {
  const own = Buffer.allocUnsafeSlow(64 * 1024).fill(1);
  letGo(own);
  expect(own.byteLength).toBe(0);

  const whole = Buffer.allocUnsafeSlow(8).fill(1);
  letGo(whole.subarray(2));
  const shared = Buffer.from(new SharedArrayBuffer(8)).fill(1);
  letGo(shared);
  expect([...whole, ...shared]).toEqual(Array(16).fill(1));
});
