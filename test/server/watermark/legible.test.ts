import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { clip, type ClipName } from "../../support/media.ts";
import { halves, middleHalf, reads } from "../../support/ocr.ts";
import { framesOf } from "./inspect.ts";
import { mark, markingRig, never, type MarkingRig } from "./rig.ts";

describe("the mark in a video", () => {
  let rig: MarkingRig;
  beforeAll(async () => {
    rig = await markingRig();
  });
  afterAll(() => rig.close());

  it.each<ClipName>(["small", "fullHd", "portrait", "dark", "bright", "noisy"])(
    "can be read in nine of ten frames of the %s clip, in their middle, and in every half",
    async (name) => {
      const master = await rig.addFile(await clip(name));
      const { segments = 0 } = await rig.renditions.describe(master, never);
      const tally = { frames: 0, whole: 0, middle: 0, halves: 0 };
      for (let index = 0; index < segments; index += 1) {
        const { bytes } = await rig.renditions.segment(master, index, mark, never);
        for (const frame of await framesOf(bytes, 40)) {
          tally.frames += 1;
          if (await reads(frame, mark.shareId)) tally.whole += 1;
          if (await reads(await middleHalf(frame), mark.shareId)) tally.middle += 1;
          for (const half of await halves(frame)) {
            if (await reads(half, mark.shareId)) tally.halves += 1;
          }
        }
      }
      process.stderr.write(`${name} ${JSON.stringify(tally)}\n`);
      expect(tally.frames).toBeGreaterThanOrEqual(6);
      expect(tally.whole).toBeGreaterThanOrEqual(tally.frames * 0.9);
      expect(tally.middle).toBeGreaterThanOrEqual(tally.frames * 0.9);
      expect(tally.halves).toBeGreaterThanOrEqual(tally.frames * 4 * 0.9);
    },
    60_000,
  );
});
