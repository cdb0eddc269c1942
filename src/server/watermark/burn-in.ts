import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { markLines, type Mark } from "./mark.ts";

/** Size of a working copy's picture, in pixels; even. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

const mostPixels = 1280 * 720;
const longestSide = 1280;
/** Smaller pictures are enlarged to this, or the mark would hide them: it must be legible, so it can't shrink along. */
const shortestSide = 480;

/** The size at which a picture is shown: at most 720p's area, shape kept. */
export function shownSize({ width, height }: PictureSize): PictureSize {
  const roof = Math.min(
    longestSide / Math.max(width, height),
    Math.sqrt(mostPixels / (width * height)),
  );
  const scale = Math.min(roof, Math.max(1, shortestSide / Math.min(width, height)));
  return { width: even(width * scale), height: even(height * scale) };
}

function even(pixels: number): number {
  return Math.max(16, Math.round(pixels / 2) * 2);
}

interface Token {
  /** Where its middle is and how far it drifts, as fractions of the picture. */
  readonly x: number;
  readonly y: number;
  readonly sway: number;
  /** Periods of the drift in seconds, across and down: without a common measure, so that it never comes back soon. */
  readonly across: number;
  readonly down: number;
  readonly light: boolean;
  readonly details: boolean;
}

/**
 * One token in each quarter, never leaving it: so every half, and the middle half of the area, always holds at least one
 * whole share id, and opposite corners the details too. Light on dark and dark on light, because a reader (human or
 * machine) that fails on one in bright or dark footage reads the other.
 */
const tokens: readonly Token[] = [
  { x: 0.32, y: 0.25, sway: 0.05, across: 23, down: 17, light: true, details: true },
  { x: 0.68, y: 0.33, sway: 0.07, across: 19, down: 29, light: false, details: false },
  { x: 0.32, y: 0.68, sway: 0.07, across: 31, down: 13, light: false, details: false },
  { x: 0.68, y: 0.65, sway: 0.05, across: 37, down: 11, light: true, details: true },
];

const idFile = "id.txt";
const detailsFile = "details.txt";

/** Puts the mark's texts where {@link burnIn} reads them. Text reaches ffmpeg in no other way. */
export async function writeMarkTexts(folder: string, mark: Mark): Promise<void> {
  await writeFile(join(folder, idFile), mark.shareId);
  await writeFile(join(folder, detailsFile), markLines(mark).join("\n"));
}

/**
 * The filters that burn the mark into a picture of `size`. They drift with the time stamps of the frames, so that segments
 * made apart fit together. Nothing in the string comes from outside: texts and font are files in (or above) the
 * working folder.
 */
export function burnIn({ width, height }: PictureSize, fontFile: string): string {
  const idSize = Math.max(16, Math.round(Math.min(width * 0.0375, height * 0.05)));
  const detailSize = Math.max(10, Math.round(idSize * 0.5));
  const idBorder = Math.round(idSize / 3);
  const filters = tokens.flatMap((token) => {
    const x = `w*${token.x}-tw/2+w*0.04*sin(2*PI*t/${token.across})`;
    const y = `h*${token.y}+h*${token.sway}*sin(2*PI*t/${token.down})`;
    const below = Math.round(idSize * 0.5) + idBorder + 3;
    const id = draw(token, fontFile, idFile, idSize, idBorder, x, `${y}-th/2`);
    if (!token.details) return [id];
    return [id, draw(token, fontFile, detailsFile, detailSize, 3, x, `${y}+${below}`)];
  });
  return filters.join(",");
}

function draw(
  token: Token,
  fontFile: string,
  textFile: string,
  size: number,
  border: number,
  x: string,
  y: string,
): string {
  const [ink, box] = token.light ? ["white", "black@0.75"] : ["black", "white@0.75"];
  return (
    `drawtext=expansion=none:fontfile=${fontFile}:textfile=${textFile}:fontsize=${size}:line_spacing=2` +
    `:fontcolor=${ink}:box=1:boxcolor=${box}:boxborderw=${border}:x='${x}':y='${y}'`
  );
}
