import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";

const run = promisify(execFile);

/** The share of a picture's area, around its middle, that a crop keeps. */
const half = Math.SQRT1_2;

/** True when tesseract reads `word` in a picture: as it is, or in grey, doubled and without specks. */
export async function reads(picture: Buffer, word: string): Promise<boolean> {
  if (await readsAsItIs(picture, word)) return true;
  const { width } = await sharp(picture).metadata();
  const cleaned = sharp(picture)
    .greyscale()
    .median(3)
    .resize({ width: width * 2 });
  return readsAsItIs(await cleaned.png().toBuffer(), word);
}

async function readsAsItIs(picture: Buffer, word: string): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "exhibit-ocr-"));
  try {
    const path = join(folder, "page.png");
    await writeFile(path, picture);
    const { stdout } = await run("tesseract", [path, "-", "--psm", "11"], {
      env: { ...process.env, OMP_THREAD_LIMIT: "1" },
    });
    return stdout.replaceAll(/\s/g, "").includes(word);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The middle half of a picture's area. */
export async function middleHalf(picture: Buffer): Promise<Buffer> {
  const { width, height } = await sharp(picture).metadata();
  const kept = { width: Math.floor(width * half), height: Math.floor(height * half) };
  return sharp(picture)
    .extract({
      left: Math.floor((width - kept.width) / 2),
      top: Math.floor((height - kept.height) / 2),
      ...kept,
    })
    .png()
    .toBuffer();
}

/** The left, right, upper and lower half of a picture. */
export async function halves(picture: Buffer): Promise<Buffer[]> {
  const { width, height } = await sharp(picture).metadata();
  const [x, y] = [Math.floor(width / 2), Math.floor(height / 2)];
  const boxes = [
    { left: 0, top: 0, width: x, height },
    { left: width - x, top: 0, width: x, height },
    { left: 0, top: 0, width, height: y },
    { left: 0, top: height - y, width, height: y },
  ];
  return Promise.all(boxes.map((box) => sharp(picture).extract(box).png().toBuffer()));
}
