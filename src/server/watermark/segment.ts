import { burnIn, shownSize, writeMarkTexts } from "./burn-in.ts";
import type { Errand, Ffmpeg } from "./ffmpeg.ts";
import { RunFailed } from "./limited-run.ts";
import type { Mark } from "./mark.ts";
import { inputGuard, type PictureFacts, type SoundFacts } from "./probe.ts";
import {
  aacSamples,
  secondsAt,
  soundRate,
  type SegmentPlan,
  type SegmentSpan,
} from "./segment-plan.ts";

const segmentLimits = { timeoutMs: 90_000, maxOutputBytes: 64 * 1024 ** 2 };
/** AAC frames encoded before and behind a segment's own and thrown away: then two encoders agree at the border. */
const warmUp = 8;
const coolDown = 3;

/** What one segment is made from. */
export interface SegmentSource {
  readonly url: string;
  readonly picture: PictureFacts;
  readonly sound: SoundFacts | undefined;
  readonly plan: SegmentPlan;
  /** The mark's font, relative to the run's folder. */
  readonly fontFile: string;
}

/**
 * Makes one segment: the master is decoded from a key frame before it, laid onto the plan's steady frames, and cut
 * by counting them, so that the segments of a master fit together whatever its codec and key frames. Sound is laid onto
 * one grid of AAC frames in the same way, with silence where there is none.
 *
 * @throws RunFailed and what `Ffmpeg.run` throws
 */
export async function makeSegment(
  ffmpeg: Ffmpeg,
  source: SegmentSource,
  span: SegmentSpan,
  mark: Mark,
  errand: Errand,
): Promise<Buffer> {
  await writeMarkTexts(errand.folder, mark);
  const { rate } = source.plan;
  const start = secondsAt(source.plan, span.firstFrame);
  // Some containers can only be entered between key frames, and frames may be far apart. What shows that we
  // came in too late is a missing frame; then we enter earlier, at last at the beginning.
  const reorder = (16 * rate.den) / rate.num;
  for (const lead of [Math.max(1, reorder), 15, 120, Infinity]) {
    const from = Math.max(0, start - lead);
    const made = await ffmpeg.run("ffmpeg", argumentsFor(source, span, from), {
      ...errand,
      ...segmentLimits,
    });
    if (from === 0 || framesIn(made) >= span.frames) return made;
  }
  throw new RunFailed("no frames");
}

function argumentsFor(source: SegmentSource, span: SegmentSpan, from: number): string[] {
  const { url, sound, plan } = source;
  // prettier-ignore
  const input = ["-loglevel", "error", "-filter_complex_threads", "2", "-threads", "2", ...inputGuard, "-copyts", "-start_at_zero",
    "-noaccurate_seek", "-ss", from.toFixed(6), "-i", url];
  // prettier-ignore
  const video = ["-map", "[v]", "-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-crf", "23",
    "-threads", "2", "-maxrate", "6M", "-bufsize", "12M", "-bf", "0", "-g", String(plan.framesPerSegment), "-sc_threshold", "0"];
  // prettier-ignore
  const output = ["-fps_mode", "passthrough", "-map_metadata", "-1", "-muxdelay", "0", "-muxpreload", "0",
    "-f", "mpegts", "pipe:1"];
  const graph = [pictureGraph(source, span, from === 0)];
  if (sound === undefined) {
    return [...input, "-filter_complex", graph.join(";"), ...video, ...output];
  }
  const layout = sound.channels > 1 ? "stereo" : "mono";
  const first = Math.max(0, span.firstAac - warmUp);
  graph.push(soundGraph(layout, first, span.endAac + coolDown));
  // The encoder's first packet lies one frame before its first sample.
  const packet = (frame: number): number => frame - first + 1;
  const outside = `lt(n,${packet(span.firstAac)})+gte(n,${packet(span.endAac)})`;
  // prettier-ignore
  const audio = ["-map", "[a]", "-c:a", "aac", "-b:a", layout === "stereo" ? "128k" : "80k",
    "-bsf:a", `noise=drop='${outside}'`];
  return [...input, "-filter_complex", graph.join(";"), ...video, ...audio, ...output];
}

function pictureGraph(source: SegmentSource, span: SegmentSpan, fromStart: boolean): string {
  const { plan, picture, fontFile } = source;
  const size = shownSize(picture);
  const end = span.firstFrame + span.frames;
  return [
    // Frames keep their places in the master's time line; one stays until the next comes, the last until the end.
    `[0:V:0]fps=fps=${plan.rate.num}/${plan.rate.den}${fromStart ? ":start_time=0" : ""}`,
    "tpad=stop=-1:stop_mode=clone",
    `trim=start_pts=${span.firstFrame}:end_pts=${end}`,
    `scale=${size.width}:${size.height}`,
    "setsar=1",
    "format=yuv420p",
    `${burnIn(size, fontFile)}[v]`,
  ].join(",");
}

function soundGraph(layout: "mono" | "stereo", first: number, end: number): string {
  const start = first * aacSamples;
  return [
    `anullsrc=r=${soundRate}:cl=${layout},asetpts=PTS+${start}[silence]`,
    `[0:a:0]aresample=${soundRate}:async=1:first_pts=${start},aformat=sample_fmts=fltp:channel_layouts=${layout}[heard]`,
    `[silence][heard]amix=duration=first:normalize=0:dropout_transition=0,` +
      `asetnsamples=${aacSamples},atrim=end_pts=${end * aacSamples}[a]`,
  ].join(";");
}

/** Counts the pictures in an MPEG-TS of ours: packets that start a unit of the one video stream (PID 0x100). */
function framesIn(segment: Buffer): number {
  let frames = 0;
  for (let at = 0; at + 188 <= segment.length; at += 188) {
    const header = segment.readUInt16BE(at + 1);
    if ((header & 0x5fff) === 0x4100) frames += 1;
  }
  return frames;
}
