import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import sharp from "sharp";
import { clip, sidewaysClip, type ClipName } from "../../support/media.ts";
import { durationsIn, frameNumbersOf, framesOf, ticksOf } from "./inspect.ts";
import { mark, markingRig, never, type MarkingRig } from "./rig.ts";

const upTo = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index);
/** What is left of 150 frames by the uneven clips' recipe. */
const uneven = upTo(150).filter((n) => !(n % 30 >= 7 && n % 30 <= 16) || n % 30 === 12);

interface Row {
  readonly name: ClipName;
  /** Frame numbers that must be seen, in this order, each without a break and none twice apart. */
  readonly seen: readonly number[];
  /** Frames the copy has in all; more than `seen` where frames stay on. */
  readonly frames: number;
  readonly tick: number;
  readonly sound: boolean;
}

const rows: readonly Row[] = [
  { name: "plain", seen: upTo(125), frames: 125, tick: 3600, sound: true },
  { name: "openGop", seen: upTo(125), frames: 125, tick: 3600, sound: true },
  { name: "longGop", seen: upTo(325), frames: 325, tick: 3600, sound: true },
  { name: "longGopTs", seen: upTo(325), frames: 325, tick: 3600, sound: true },
  { name: "uneven", seen: uneven, frames: 150, tick: 3000, sound: true },
  { name: "unevenMkv", seen: uneven, frames: 150, tick: 3000, sound: true },
  { name: "hevc", seen: upTo(125), frames: 125, tick: 3600, sound: true },
  { name: "mjpegAvi", seen: upTo(125), frames: 125, tick: 3600, sound: true },
  { name: "mpegPs", seen: upTo(125), frames: 125, tick: 3600, sound: true },
  { name: "silent", seen: upTo(125), frames: 125, tick: 3600, sound: false },
  { name: "soundShorter", seen: upTo(125), frames: 125, tick: 3600, sound: true },
  { name: "soundLonger", seen: upTo(75), frames: 125, tick: 3600, sound: true },
  { name: "ntsc", seen: upTo(150), frames: 150, tick: 3003, sound: true },
  { name: "lateVideo", seen: upTo(75), frames: 125, tick: 3600, sound: true },
];

describe("the segments of a video", () => {
  let rig: MarkingRig;
  beforeAll(async () => {
    rig = await markingRig();
  });
  afterAll(() => rig.close());

  it.each(rows)(
    "show every frame of $name once, without a gap in time stamps",
    async ({ name, seen, frames, tick, sound }) => {
      const master = await rig.addFile(await clip(name));
      const playlist = await rig.renditions.playlist(master, String, never);
      const durations = durationsIn(playlist);
      const segments = await Promise.all(
        durations.map(async (_, index) => {
          const { bytes } = await rig.renditions.segment(master, index, mark, never);
          return { ticks: await ticksOf(bytes), bytes };
        }),
      );
      segments.forEach(({ ticks }, index) => {
        expect(ticks.video.length * tick).toBeCloseTo((durations[index] ?? 0) * 90_000, 0);
      });
      const video = segments.flatMap(({ ticks }) => ticks.video);
      expect(video).toEqual(upTo(video.length).map((index) => index * tick));
      // The container's stated length may hold a last, shorter sound frame: its picture stays on for it.
      expect(video.length - frames).toBeGreaterThanOrEqual(0);
      expect(video.length - frames).toBeLessThanOrEqual(2);
      const audio = segments.flatMap(({ ticks }) => ticks.audio);
      expect(audio).toEqual(
        upTo(sound ? Math.ceil((video.length * tick) / 1920) : 0).map((index) => index * 1920),
      );
      const numbers = await frameNumbersOf(Buffer.concat(segments.map(({ bytes }) => bytes)));
      expect(numbers).toHaveLength(video.length);
      expect(numbers.filter((number, index) => number !== numbers[index - 1])).toEqual(seen);
    },
    120_000,
  );

  it("are upright for a recording that was stored sideways", async () => {
    const master = await rig.addFile(await sidewaysClip());
    const { bytes } = await rig.renditions.segment(master, 0, mark, never);
    const [first] = await framesOf(bytes, 50);
    const { width, height } = await sharp(first).metadata();
    expect(height / width).toBeCloseTo(16 / 9, 1);
  });
});
