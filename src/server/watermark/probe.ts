import { z } from "zod";
import type { Errand, Ffmpeg, Run } from "./ffmpeg.ts";

/**
 * The containers that are opened, by ffmpeg's names: those that hold sound and pictures themselves. Never playlists, scripts,
 * image sequences or subtitles, through which a hostile file could make ffmpeg open something else.
 */
const formats =
  "mov,matroska,webm,avi,mpegts,mpeg,asf,flv,dhav,mxf,wav,w64,mp3,amr,ogg,flac,aac,aiff,au,caf";

/** What comes before every input: only our tap may be opened, and only as one of {@link formats}. */
export const inputGuard = [
  "-protocol_whitelist",
  "http,tcp",
  "-format_whitelist",
  formats,
] as const;

const probeLimitMs = 30_000;

/** A frame rate as a fraction, in frames per second. */
export interface Rate {
  readonly num: number;
  readonly den: number;
}

export interface SoundFacts {
  readonly channels: number;
  readonly sampleRate: number;
}

export interface PictureFacts {
  /** As shown: rotated, with square pixels. */
  readonly width: number;
  readonly height: number;
  /** The steady rate at which every frame of the master has a place of its own, as far as can be told; 5 to 60. */
  readonly rate: Rate;
}

/** What a recording is. Its time line starts at its first frame or sample, whichever is earlier. */
export interface MediaFacts {
  readonly durationSeconds: number;
  readonly picture: PictureFacts | undefined;
  readonly sound: SoundFacts | undefined;
}

const text = z.string().optional();
const probeSchema = z.object({
  format: z.object({ duration: text }).default({}),
  streams: z
    .array(
      z.object({
        codec_type: text,
        codec_name: text,
        width: z.number().optional(),
        height: z.number().optional(),
        sample_aspect_ratio: text,
        r_frame_rate: text,
        avg_frame_rate: text,
        channels: z.number().optional(),
        sample_rate: text,
        disposition: z.object({ attached_pic: z.number().optional() }).optional(),
        side_data_list: z.array(z.object({ rotation: z.number().optional() })).optional(),
      }),
    )
    .default([]),
});
type Stream = z.infer<typeof probeSchema>["streams"][number];

/** Reads the facts of what `url` taps. @throws RunFailed when it is nothing that we open */
export async function probe(ffmpeg: Ffmpeg, url: string, errand: Errand): Promise<MediaFacts> {
  const limits = { ...errand, timeoutMs: probeLimitMs, maxOutputBytes: 1 << 20 };
  const shown = "-show_entries format=duration:stream:stream_disposition:stream_side_data";
  const json = await ffmpeg.run(
    "ffprobe",
    ["-v", "error", ...inputGuard, ...shown.split(" "), "-of", "json", url],
    limits,
  );
  const { format, streams } = probeSchema.parse(JSON.parse(json.toString("utf8")));
  const picture = streams.find(
    (stream) =>
      stream.codec_type === "video" &&
      stream.codec_name !== undefined &&
      stream.disposition?.attached_pic !== 1 &&
      (stream.width ?? 0) > 0,
  );
  const sound = streams.find(
    (stream) => stream.codec_type === "audio" && stream.codec_name !== undefined,
  );
  const stated = Number(format.duration);
  return {
    durationSeconds: stated > 0 ? stated : await measureDuration(ffmpeg, url, limits),
    picture: picture && pictureOf(picture),
    sound: sound && {
      channels: sound.channels ?? 1,
      sampleRate: Number(sound.sample_rate ?? 48_000),
    },
  };
}

/** Reads a container that does not state its length from end to end, decoding nothing. */
async function measureDuration(ffmpeg: Ffmpeg, url: string, run: Run): Promise<number> {
  const progress = await ffmpeg.run(
    "ffmpeg",
    // prettier-ignore
    ["-loglevel", "error", "-progress", "pipe:1", ...inputGuard, "-i", url, "-map", "0:v?", "-map", "0:a?",
      "-c", "copy", "-f", "null", "-"],
    run,
  );
  const last = progress
    .toString("utf8")
    .match(/out_time_us=(\d+)/g)
    ?.at(-1);
  return Number(last?.slice("out_time_us=".length) ?? 0) / 1e6;
}

function pictureOf(stream: Stream): PictureFacts {
  const pixel = fractionOf(stream.sample_aspect_ratio?.replace(":", "/"));
  const square = pixel === undefined ? 1 : pixel.num / pixel.den;
  const width = Math.max(1, Math.round((stream.width ?? 0) * square));
  const height = stream.height ?? 1;
  const turned = stream.side_data_list?.some(({ rotation = 0 }) => Math.abs(rotation) % 180 === 90);
  return {
    ...(turned === true ? { width: height, height: width } : { width, height }),
    rate: steadyRate(fractionOf(stream.r_frame_rate), fractionOf(stream.avg_frame_rate)),
  };
}

/** The rate that places every frame (`r_frame_rate`) where it is one to play at, else the average, brought into 5 to 60. */
export function steadyRate(finest: Rate | undefined, average: Rate | undefined): Rate {
  for (const rate of [finest, average]) {
    if (rate === undefined) continue;
    const perSecond = rate.num / rate.den;
    if (perSecond > 60.5) continue;
    // Slower ones are repeated, so that a segment is never a single frame.
    return { num: rate.num * Math.max(1, Math.ceil(5 / perSecond)), den: rate.den };
  }
  return { num: 60, den: 1 };
}

function fractionOf(value: string | undefined): Rate | undefined {
  const match = /^(\d{1,9})\/(\d{1,9})$/.exec(value ?? "");
  const num = Number(match?.[1] ?? 0);
  const den = Number(match?.[2] ?? 0);
  return num > 0 && den > 0 ? { num, den } : undefined;
}
