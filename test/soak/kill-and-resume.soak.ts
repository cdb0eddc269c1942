import { describe, expect, it } from "@jest/globals";
import { killAndResume } from "../support/kill-and-resume.ts";

const MiB = 1024 * 1024;

describe("1 GiB, killed with SIGKILL at 20 random moments", () => {
  it("ends with equal digests, no duplicate, and at most the parts in flight sent again", async () => {
    const outcome = await killAndResume({
      sizeBytes: 1024 * MiB,
      kills: 20,
      partBytes: 8 * MiB,
      concurrency: 4,
    });
    process.stdout.write(`${JSON.stringify(outcome, undefined, 2)}\n`);
    expect(outcome.killedAt).toHaveLength(20);
    expect(outcome.storedSha256).toBe(outcome.sourceSha256);
    expect(outcome.receiptSha256).toBe(outcome.sourceSha256);
    expect(outcome.contentFiles).toEqual(["KILL_1/KIL_1/KIL_1-0001.bin"]);
    expect(outcome.extraBytes).toBeLessThanOrEqual(outcome.allowedBytes);
  }, 900_000);
});
