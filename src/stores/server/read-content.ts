import { addAbortSignal, Readable } from "node:stream";
import { ExhibitError } from "../../evidence/errors.ts";
import type { ByteRange } from "../../evidence/ports/store.ts";
import { contentPathOf } from "../../protocol/content.ts";
import { fetchBytes } from "./data-plane.ts";
import { unreachable } from "../unreachable.ts";
import type { Session } from "./session.ts";

/**
 * The bytes of a key or of a range of it, exactly as many as asked for or promised: a stream that ends early fails.
 *
 * @throws ExhibitError `not-found.content`, `usage.invalid` for a range that is not there, `unavailable.store`
 */
export async function readContent(
  session: Session,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<Readable> {
  if (range !== undefined && !isRange(range)) throw noSuchRange(range);
  const url = `${session.url}${contentPathOf(key)}`;
  const headers = range === undefined ? {} : { range: `bytes=${range.start}-${range.end - 1}` };
  const { statusCode, headers: answered, body } = await fetchBytes(session, url, headers, signal);
  // Destroyed below when it is not wanted; that is no failure of ours.
  body.on("error", () => undefined);
  const length = Number(answered["content-length"]);
  const fits =
    range === undefined
      ? statusCode === 200 && Number.isSafeInteger(length)
      : statusCode === 206 && isOf(String(answered["content-range"]), range);
  if (!fits) {
    body.destroy();
    throw range === undefined || statusCode === 200 ? nonsense() : noSuchRange(range);
  }
  const expected = range === undefined ? length : range.end - range.start;
  const bytes = Readable.from(exactly(body, expected, session, signal), { objectMode: false });
  bytes.once("close", () => {
    body.destroy();
  });
  return addAbortSignal(signal, bytes);
}

function isRange({ start, end }: ByteRange): boolean {
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end > start;
}

/** True when the answer's `Content-Range` is the range that was asked for, and not a part of it. */
function isOf(contentRange: string, { start, end }: ByteRange): boolean {
  return contentRange.startsWith(`bytes ${start}-${end - 1}/`);
}

async function* exactly(
  body: AsyncIterable<Buffer>,
  length: number,
  { pace, url }: Pick<Session, "pace" | "url">,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let left = length;
  try {
    for await (const chunk of body) {
      left -= chunk.byteLength;
      if (left < 0) throw nonsense();
      await pace.wait(chunk.byteLength, signal);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof ExhibitError ? error : unreachable(error as Error, url);
  }
  if (left > 0) {
    throw new ExhibitError("unavailable.store", "The connection ended before the file did.", {
      hint: "Try again; what has arrived need not be sent again.",
      facts: { missingBytes: left },
    });
  }
}

function nonsense(): ExhibitError {
  return new ExhibitError("unavailable.store", "The server sent other bytes than were asked for.", {
    facts: { status: 200 },
    hint: "Something between this computer and the server may be changing what is sent. Try again.",
  });
}

function noSuchRange({ start, end }: ByteRange): ExhibitError {
  return new ExhibitError("usage.invalid", "The file has no such range of bytes.", {
    facts: { start, end },
  });
}
