import type { Readable } from "node:stream";
import { unreachable } from "./unreachable.ts";

/** Answers that are not content; the longest is a page of a listing. */
const limitBytes = 16 * 1024 * 1024;

/** All of an answer that is not content, cut off where it is longer than any. @throws ExhibitError `unavailable.store`; the signal's reason */
export async function wholeAnswer(
  body: Readable,
  url: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      length += piece.byteLength;
      if (length > limitBytes) break;
      pieces.push(piece);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(error as Error, url);
  }
  return Buffer.concat(pieces);
}
