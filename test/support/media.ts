import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PDFDocument, StandardFonts, degrees } from "@cantoo/pdf-lib";
import sharp from "sharp";

const run = promisify(execFile);

/** Bits of the frame number that every clip carries along its lower edge, lowest bit on the left, white for 1. */
export const frameBits = 10;

/** A picture that moves, with its frame number as a row of squares at the bottom: `n` counts from 0 at time 0. */
function picture(rate: string, seconds: number, size = "320x180"): string {
  const squares = Array.from(
    { length: frameBits },
    (_, bit) =>
      `drawbox=x=iw*${bit}/${frameBits}:y=ih-ih/12:w=iw/${frameBits}:h=ih/12:color=white:t=fill:enable='mod(floor(n/${2 ** bit}),2)'`,
  );
  const strip = "drawbox=x=0:y=ih-ih/12:w=iw:h=ih/12:color=black:t=fill";
  return [`testsrc2=size=${size}:rate=${rate}:duration=${seconds}`, strip, ...squares].join(",");
}

function sound(seconds: number, hz = 440): string[] {
  return ["-f", "lavfi", "-i", `sine=frequency=${hz}:sample_rate=48000:duration=${seconds}`];
}

function video(rate: string, seconds: number, size?: string): string[] {
  return ["-f", "lavfi", "-i", picture(rate, seconds, size)];
}

const h264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"];
const aac = ["-c:a", "aac", "-b:a", "96k"];
/** Two of every three frames go missing now and then: what is left keeps its time. */
const uneven = ["-vf", "select='not(between(mod(n,30),7,16))+eq(mod(n,30),12)'", "-vsync", "vfr"];

/** How each clip is made by ffmpeg, and its extension. */
const clips = {
  plain: { ext: "mp4", args: [...video("25", 5), ...sound(5), ...h264, ...aac] },
  openGop: {
    ext: "mp4",
    // prettier-ignore
    args: [...video("25", 5), ...sound(5), ...h264, "-x264-params", "open-gop=1:keyint=40:min-keyint=40:bframes=4:b-adapt=0:scenecut=0", ...aac],
  },
  longGop: {
    ext: "mp4",
    // prettier-ignore
    args: [...video("25", 13), ...sound(13), ...h264, "-bf", "3", "-g", "300", "-keyint_min", "300", "-sc_threshold", "0", ...aac],
  },
  longGopTs: {
    ext: "ts",
    // prettier-ignore
    args: [...video("25", 13), ...sound(13), ...h264, "-g", "300", "-keyint_min", "300", "-sc_threshold", "0", ...aac],
  },
  uneven: { ext: "mp4", args: [...video("30", 5), ...sound(5), ...uneven, ...h264, ...aac] },
  unevenMkv: { ext: "mkv", args: [...video("30", 5), ...sound(5), ...uneven, ...h264, ...aac] },
  hevc: {
    ext: "mp4",
    // prettier-ignore
    args: [...video("25", 5), ...sound(5), "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:keyint=60", "-tag:v", "hvc1", ...aac],
  },
  mjpegAvi: {
    ext: "avi",
    args: [...video("25", 5), ...sound(5), "-c:v", "mjpeg", "-q:v", "4", "-c:a", "pcm_s16le"],
  },
  mpegPs: {
    ext: "mpg",
    args: [...video("25", 5), ...sound(5), "-c:v", "mpeg2video", "-b:v", "2M", "-c:a", "mp2"],
  },
  silent: { ext: "mp4", args: [...video("25", 5), ...h264] },
  soundShorter: { ext: "mp4", args: [...video("25", 5), ...sound(2), ...h264, ...aac] },
  soundLonger: { ext: "mp4", args: [...video("25", 3), ...sound(5), ...h264, ...aac] },
  ntsc: { ext: "mp4", args: [...video("30000/1001", 5), ...sound(5), ...h264, ...aac] },
  lateVideo: {
    ext: "mkv",
    args: [...sound(5), "-itsoffset", "2", ...video("25", 3), ...h264, ...aac],
  },
  small: { ext: "mp4", args: [...video("25", 5, "320x240"), ...sound(5), ...h264, ...aac] },
  fullHd: { ext: "mp4", args: [...video("25", 5, "1920x1080"), ...sound(5), ...h264, ...aac] },
  portrait: { ext: "mp4", args: [...video("25", 5, "360x640"), ...h264] },
  dark: {
    ext: "mp4",
    args: ["-f", "lavfi", "-i", "color=0x080808:size=640x360:rate=25:duration=5", ...h264],
  },
  bright: {
    ext: "mp4",
    args: ["-f", "lavfi", "-i", "color=white:size=640x360:rate=25:duration=5", ...h264],
  },
  noisy: {
    ext: "mp4",
    // prettier-ignore
    args: ["-f", "lavfi", "-i", "color=gray:size=640x360:rate=25:duration=5,noise=alls=20:allf=t", ...h264],
  },
  call: {
    ext: "wav",
    args: ["-f", "lavfi", "-i", "sine=frequency=300:sample_rate=8000:duration=40"],
  },
  callMp3: {
    ext: "mp3",
    args: ["-f", "lavfi", "-i", "sine=frequency=300:sample_rate=16000:duration=5", "-b:a", "32k"],
  },
} as const satisfies Record<string, { ext: string; args: readonly string[] }>;

export type ClipName = keyof typeof clips;

/**
 * The path of a short recording, made by ffmpeg on first use and kept in the system's temporary folder under the digest of
 * its recipe. Two processes may ask at once: each makes its own and the last rename wins.
 */
export async function clip(name: ClipName): Promise<string> {
  const { ext, args } = clips[name];
  return cached(JSON.stringify(args), ext, async (path) => {
    await run("ffmpeg", ["-nostdin", "-y", "-loglevel", "error", ...args, "-threads", "2", path]);
  });
}

/** A portrait recording stored sideways, as telephones do: the turn is in its header. */
export async function sidewaysClip(): Promise<string> {
  const upright = await clip("plain");
  return cached("sideways", "mp4", async (path) => {
    // prettier-ignore
    await run("ffmpeg", ["-nostdin", "-y", "-loglevel", "error", "-i", upright, "-c", "copy", "-metadata:s:v:0", "rotate=90", path]);
  });
}

/** A JPEG with an EXIF turn (6: a quarter to the right) and a GPS position that must not leave. */
export async function jpegPhoto(): Promise<Buffer> {
  return sharp({ create: { width: 800, height: 600, channels: 3, background: "#7a8b99" } })
    .withExif({ IFD0: { Artist: "A. Photographer" }, IFD3: { GPSLatitude: "51/1 30/1 0/1" } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
}

export async function pngPicture(width = 640, height = 400): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 4, background: "#20406080" } })
    .png()
    .toBuffer();
}

/** A PDF of `pages` pages, the second one turned by a quarter. */
export async function pdfStatement(pages = 3): Promise<Buffer> {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.Helvetica);
  for (let page = 1; page <= pages; page += 1) {
    const sheet = document.addPage([595, 842]);
    sheet.drawText(`Witness statement, page ${page}`, { x: 60, y: 760, size: 18, font });
  }
  const second = document.getPages()[1];
  second?.setRotation(degrees(90));
  return Buffer.from(await document.save());
}

async function cached(
  recipe: string,
  ext: string,
  make: (path: string) => Promise<void>,
): Promise<string> {
  const folder = join(tmpdir(), "exhibit-test-media");
  const name = createHash("sha256").update(`1 ${recipe}`).digest("hex").slice(0, 24);
  const path = join(folder, `${name}.${ext}`);
  if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `${name}.${process.pid}-${Date.now()}.${ext}`);
  try {
    await make(draft);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  return path;
}
