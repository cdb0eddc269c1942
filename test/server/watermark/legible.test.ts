import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { clip, type ClipName } from "../../support/media.ts";
import { halves, middleHalf, reads } from "../../support/ocr.ts";
import { durationsIn, framesOf } from "./inspect.ts";
import { mark, markingRig, never, type MarkingRig } from "./rig.ts";

/** The halves of busy pictures take tesseract long; that the mark is in each half shows as well on plain ones. */
const rows: readonly { name: ClipName; inHalves: boolean }[] = [
  { name: "small", inHalves: false },
  { name: "fullHd", inHalves: false },
  { name: "noisy", inHalves: false },
  { name: "portrait", inHalves: false },
  { name: "dark", inHalves: true },
  { name: "bright", inHalves: true },
];

describe("the mark in a video", () => {
  let rig: MarkingRig;
  beforeAll(async () => {
    rig = await markingRig();
  });
  afterAll(() => rig.close());

  it.each(rows)(
    "can be read in nine of ten frames of the $name clip, and in their middle",
    async ({ name, inHalves }) => {
      const master = await rig.addFile(await clip(name));
      const { length: segments } = durationsIn(
        await rig.renditions.playlist(master, String, never),
      );
      const tally = { frames: 0, whole: 0, middle: 0, halves: 0 };
      for (let index = 0; index < segments; index += 1) {
        const { bytes } = await rig.renditions.segment(master, index, mark, never);
        for (const frame of await framesOf(bytes, 50)) {
          tally.frames += 1;
          const parts = [frame, await middleHalf(frame), ...(inHalves ? await halves(frame) : [])];
          const [whole, middle, ...inHalf] = await Promise.all(
            parts.map((part) => reads(part, mark.shareId)),
          );
          if (whole === true) tally.whole += 1;
          if (middle === true) tally.middle += 1;
          tally.halves += inHalf.filter(Boolean).length;
        }
      }
      expect(tally.frames).toBe(3);
      expect(tally.whole).toBeGreaterThanOrEqual(tally.frames * 0.9);
      expect(tally.middle).toBeGreaterThanOrEqual(tally.frames * 0.9);
      expect(tally.halves).toBeGreaterThanOrEqual(inHalves ? tally.frames * 4 * 0.9 : 0);
    },
    120_000,
  );
});
