// Makes the demonstration's evidence: a clip, a call, a photograph and a statement, all synthetic.
import { writeFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { PDFDocument, StandardFonts } from "@cantoo/pdf-lib";

const run = promisify(execFile);
const font = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";

/** @param {string[]} args */
async function ffmpeg(...args) {
  await run("ffmpeg", ["-nostdin", "-y", "-loglevel", "error", ...args]);
}

/**
 * Writes the four files into `folder` and returns their paths.
 *
 * @param {string} folder
 * @param {number} [seconds] of the clip, at 1.5 MB or so a second
 */
export async function makeMedia(folder, seconds = 16) {
  const media = {
    clip: path.join(folder, "bus 42 upper deck.mp4"),
    call: path.join(folder, "999 call.wav"),
    photo: path.join(folder, "damage.jpg"),
    statement: path.join(folder, "statement.pdf"),
  };
  const timeCode = `drawtext=fontfile=${font}:timecode='18\\:30\\:00\\:00':rate=25:fontsize=40:fontcolor=white:box=1:boxcolor=black:x=20:y=20`;
  await Promise.all([
    ffmpeg(
      ...["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25,noise=alls=20:allf=t"],
      ...["-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000"],
      ...[
        "-t",
        String(seconds),
        "-vf",
        timeCode,
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-b:v",
        "12M",
      ],
      ...["-pix_fmt", "yuv420p", "-g", "100", "-c:a", "aac", "-movflags", "+faststart", media.clip],
    ),
    ffmpeg(
      ...["-f", "lavfi", "-i", "sine=frequency=300:sample_rate=8000"],
      ...["-af", "tremolo=f=5:d=0.8", "-t", "30", "-c:a", "pcm_s16le", media.call],
    ),
    ffmpeg(
      ...["-f", "lavfi", "-i", "testsrc=size=1600x1200:rate=1", "-frames:v", "1", media.photo],
    ),
    writeStatement(media.statement),
  ]);
  return media;
}

/** @param {string} file */
async function writeStatement(file) {
  const document = await PDFDocument.create();
  const page = document.addPage([595, 842]);
  page.setFont(await document.embedFont(StandardFonts.Helvetica));
  page.drawText("Statement of A. Driver (synthetic)", { x: 60, y: 760, size: 18 });
  page.drawText("At 18:30 the rear window of bus 42 was broken from outside.", {
    x: 60,
    y: 720,
    size: 12,
  });
  await writeFile(file, await document.save());
}
