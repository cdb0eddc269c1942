import sharp from "sharp";
import { ExhibitError } from "../../evidence/errors.ts";
import type { PictureSize } from "./burn-in.ts";
import { markLines, type Mark } from "./mark.ts";

/** What an image may decode to; a small file can claim far more. */
const mostPixels = 150_000_000;
const longestSide = 2560;
const shortestSide = 480;

/** The size at which an image is shown, rotated and scaled, read without decoding it. @throws Error when it is none that we read; `policy.too-large` */
export async function sizeOf(bytes: Buffer): Promise<PictureSize> {
  const { width, height, autoOrient } = await sharp(bytes, {
    limitInputPixels: false,
  }).metadata();
  if (width * height > mostPixels) {
    throw new ExhibitError("policy.too-large", "The image is too large to be marked.", {
      hint: "Share it with --access original.",
      facts: { width, height },
    });
  }
  const roof = longestSide / Math.max(width, height);
  const scale = Math.min(roof, Math.max(1, shortestSide / Math.min(width, height)));
  return {
    width: Math.max(1, Math.round(autoOrient.width * scale)),
    height: Math.max(1, Math.round(autoOrient.height * scale)),
  };
}

/** Makes a JPEG of an image with the mark all over it, upright, at most 2560 pixels long, without any metadata. */
export async function makeImage(bytes: Buffer, mark: Mark): Promise<Buffer> {
  const { width, height } = await sizeOf(bytes);
  return sharp(bytes, { limitInputPixels: mostPixels, failOn: "error" })
    .autoOrient()
    .resize(width, height, { fit: "fill" })
    .flatten({ background: "white" })
    .composite([{ input: Buffer.from(markDrawing(width, height, mark)) }])
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** An SVG the size of the picture: tokens in a grid, light on dark and dark on light in turn. */
function markDrawing(width: number, height: number, mark: Mark): string {
  const idSize = Math.max(14, Math.round(Math.min(width * 0.034, height * 0.05)));
  const detailSize = Math.max(9, Math.round(idSize * 0.5));
  const lines = markLines(mark);
  const rows = Math.min(8, Math.max(3, Math.round(height / (idSize * 7))));
  const columns = Math.min(4, Math.max(2, Math.floor(width / (idSize * 10))));
  const parts: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const shift = row % 2 === 0 ? -0.06 : 0.06;
      const x = (width * (column + 0.5)) / columns + width * shift;
      const y = (height * (row + 0.5)) / rows;
      parts.push(token(x, y, (row + column) % 2 === 0, idSize, detailSize, mark.shareId, lines));
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${parts.join("")}</svg>`;
}

function token(
  x: number,
  y: number,
  light: boolean,
  idSize: number,
  detailSize: number,
  id: string,
  lines: readonly string[],
): string {
  const [ink, box] = light ? ["white", "black"] : ["black", "white"];
  const font = `font-family="DejaVu Sans, Liberation Sans, sans-serif" text-anchor="middle"`;
  const idWidth = idSize * 0.78 * id.length + idSize;
  const idBox = `<rect x="${x - idWidth / 2}" y="${y - idSize}" width="${idWidth}" height="${idSize * 1.5}" fill="${box}" fill-opacity="0.7"/>`;
  const idText = `<text x="${x}" y="${y + idSize * 0.12}" ${font} font-weight="bold" font-size="${idSize}" fill="${ink}">${escaped(id)}</text>`;
  const details = lines.map(
    (line, index) =>
      `<text x="${x}" y="${y + idSize * 0.5 + detailSize * 1.25 * (index + 0.9)}" ${font} font-size="${detailSize}" ` +
      `fill="${ink}" stroke="${box}" stroke-width="${detailSize / 5}" stroke-opacity="0.7" paint-order="stroke">${escaped(line)}</text>`,
  );
  return [idBox, idText, ...details].join("");
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0) ?? 63};`);
}
