import { spawn } from "node:child_process";
import { frameBits } from "../../support/media.ts";

/** Runs a program with `input` on its stdin and returns its stdout. */
export async function piped(
  program: string,
  args: readonly string[],
  input: Uint8Array,
): Promise<Buffer> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The lengths in seconds that a playlist states for its segments, in order. */
export function durationsIn(playlist: string): number[] {
  return [...playlist.matchAll(/#EXTINF:([\d.]+),/g)].map((match) => Number(match[1]));
}

/** The time stamps of an MPEG-TS in 90 kHz ticks, in the order in which they stand in it. */
export async function ticksOf(
  segment: Uint8Array,
): Promise<{ readonly video: number[]; readonly audio: number[] }> {
  const json = await piped(
    "ffprobe",
    // prettier-ignore
    ["-v", "error", "-show_entries", "packet=codec_type,pts", "-of", "json", "-f", "mpegts", "pipe:0"],
    segment,
  );
  const { packets } = JSON.parse(json.toString("utf8")) as {
    packets: { codec_type: string; pts: number }[];
  };
  const of = (type: string): number[] =>
    packets.filter((packet) => packet.codec_type === type).map(({ pts }) => pts);
  return { video: of("video"), audio: of("audio") };
}

/** The frame numbers that are drawn along the lower edge of the clips, one for each picture. */
export async function frameNumbersOf(segment: Uint8Array): Promise<number[]> {
  const strip = `crop=iw:ih/18:0:ih-ih/18,scale=${frameBits}:1:flags=area,format=gray`;
  const grey = await piped(
    "ffmpeg",
    // prettier-ignore
    ["-loglevel", "error", "-f", "mpegts", "-i", "pipe:0", "-vf", strip, "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"],
    segment,
  );
  return Array.from({ length: grey.length / frameBits }, (_, frame) =>
    Array.from({ length: frameBits }, (_, bit) => bit).reduce(
      (sum, bit) => sum + ((grey[frame * frameBits + bit] ?? 0) > 128 ? 2 ** bit : 0),
      0,
    ),
  );
}

/** Sound as 48 kHz mono samples. */
export async function samplesOf(bytes: Uint8Array): Promise<Float32Array> {
  const raw = await piped(
    "ffmpeg",
    [
      "-loglevel",
      "error",
      "-i",
      "pipe:0",
      "-vn",
      "-ac",
      "1",
      "-ar",
      "48000",
      "-f",
      "f32le",
      "pipe:1",
    ],
    bytes,
  );
  return new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength));
}

/** Every `step`-th picture of a segment as PNG. */
export async function framesOf(segment: Uint8Array, step: number): Promise<Buffer[]> {
  const joined = await piped(
    "ffmpeg",
    // prettier-ignore
    ["-loglevel", "error", "-f", "mpegts", "-i", "pipe:0", "-vf", `select='not(mod(n,${step}))'`, "-fps_mode", "passthrough", "-c:v", "png", "-f", "image2pipe", "pipe:1"],
    segment,
  );
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const starts: number[] = [];
  for (let at = joined.indexOf(signature); at >= 0; at = joined.indexOf(signature, at + 8)) {
    starts.push(at);
  }
  return starts.map((start, index) => joined.subarray(start, starts[index + 1]));
}
