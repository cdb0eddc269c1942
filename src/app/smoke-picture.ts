import { randomFillSync } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";

/**
 * A picture of coloured noise of at least `leastBytes`, never the same twice: a kind of file that can be marked, at any length. In
 * PNG (ISO/IEC 15948), 8 bits a channel, without compression.
 */
export function smokePicture(leastBytes: number): Buffer {
  const side = Math.max(64, Math.ceil(Math.sqrt(leastBytes / 3)));
  const row = 1 + side * 3;
  const pixels = randomFillSync(Buffer.alloc(row * side));
  // Each row begins with its filter: none.
  for (let at = 0; at < pixels.length; at += row) pixels[at] = 0;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  // Bit depth 8, colour type RGB, and the only methods there are.
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    piece("IHDR", header),
    piece("IDAT", deflateSync(pixels, { level: 0 })),
    piece("IEND", Buffer.alloc(0)),
  ]);
}

function piece(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
