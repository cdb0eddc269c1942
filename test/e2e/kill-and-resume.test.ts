import { describe, expect, it } from "@jest/globals";
import { killAndResume } from "../support/kill-and-resume.ts";

const MiB = 1024 * 1024;

describe("an upload that is killed with SIGKILL", () => {
  it("goes on with the same command, sends at most the parts in flight again, and ends with equal digests", async () => {
    const outcome = await killAndResume({
      sizeBytes: 128 * MiB + 5,
      kills: 3,
      partBytes: 2 * MiB,
      concurrency: 4,
    });
    expect(outcome.killedAt).toHaveLength(3);
    expect(outcome.storedSha256).toBe(outcome.sourceSha256);
    expect(outcome.receiptSha256).toBe(outcome.sourceSha256);
    expect(outcome.contentFiles).toEqual(["KILL_1/KIL_1/KIL_1-0001.bin"]);
    expect(outcome.extraBytes).toBeLessThanOrEqual(outcome.allowedBytes);
    expect(outcome.lastRun.bytesSkipped).toBeGreaterThan(0);
  }, 120_000);
});
