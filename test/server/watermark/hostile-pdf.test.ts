import { monitorEventLoopDelay } from "node:perf_hooks";
import { constants, deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { hasCode } from "../../../src/evidence/errors.ts";
import { createPdfPress, pdfLimits } from "../../../src/server/watermark/pdf-press.ts";
import { createTurns } from "../../../src/server/watermark/turns.ts";
import { pdfStatement } from "../../support/media.ts";
import { mark, markingRig, never, type MarkingRig } from "./rig.ts";

/** A PDF with an object stream that unfolds to so much, of some 100 kB for 100 MiB: deflate's blocks can be repeated. */
function unfolding(mebibytes: number): Buffer {
  const options = { finishFlush: constants.Z_FULL_FLUSH };
  const block = deflateRawSync(Buffer.alloc(1024 ** 2, " "), options);
  const head = Buffer.from("789c", "hex");
  const data = Buffer.concat([head, ...Array<Buffer>(mebibytes).fill(block), deflateRawSync("")]);
  return Buffer.concat([
    Buffer.from(
      "%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n" +
        "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]>>\nendobj\n" +
        `4 0 obj\n<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length ${data.length}>>\nstream\n`,
    ),
    data,
    Buffer.from("\nendstream\nendobj\ntrailer\n<</Root 1 0 R/Size 5>>\n%%EOF\n"),
  ]);
}

describe("a small PDF that unfolds into hundreds of megabytes", () => {
  let rig: MarkingRig;
  beforeAll(async () => {
    rig = await markingRig();
  });
  afterAll(() => rig.close());

  it("neither holds up the server nor fills its memory, and others are marked as before", async () => {
    const bomb = await rig.add(unfolding(200), "pdf");
    expect(bomb.sizeBytes).toBeLessThan(1024 ** 2);
    const before = process.resourceUsage().maxRSS;
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    await rig.renditions.canMark(bomb, never);
    delay.disable();
    expect(delay.max / 1e6).toBeLessThan(500);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(200 * 1024);

    const plain = await rig.add(await pdfStatement(2), "pdf");
    expect(await rig.renditions.canMark(plain, never)).toBe("pdf");
    const { bytes } = await rig.renditions.pdf(plain, mark, never);
    expect(bytes.toString("latin1")).toMatch(/^%PDF-/);
  });

  it.each([
    ["time", { timeoutMs: 500 }],
    ["memory", { memoryBytes: 64 * 1024 ** 2 }],
  ])("is refused when it takes too much %s", async (_, less) => {
    const press = createPdfPress(createTurns(1), { ...pdfLimits, ...less });
    const errand = { party: mark.shareId, folder: rig.scratch, signal: never };
    const refusal: unknown = await press
      .check(() => Promise.resolve(unfolding(400)), errand)
      .catch((e: unknown) => e);
    expect(hasCode(refusal, "policy.too-large") && refusal.hint).toMatch("--access original");
  });
});
