import { ExhibitError } from "../evidence/errors.ts";
import type { ByteRange } from "../evidence/ports/store.ts";
import { unreachable } from "./unreachable.ts";

/**
 * The pieces of an answer's body, `length` bytes in all: one that ends early fails, and never just ends.
 *
 * @throws ExhibitError `unavailable.store`; the signal's reason
 */
export async function* exactly(
  body: AsyncIterable<Buffer>,
  length: number,
  url: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let left = length;
  try {
    for await (const piece of body) {
      left -= piece.byteLength;
      if (left < 0) throw nonsense();
      yield piece;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ExhibitError ? error : unreachable(error as Error, url);
  }
  if (left > 0) {
    throw new ExhibitError("unavailable.store", "The connection ended before the file did.", {
      hint: "Try again.",
      facts: { missingBytes: left },
    });
  }
}

/** Whether a range can be one at all. */
export function isRange({ start, end }: ByteRange): boolean {
  return Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start;
}

export function noSuchRange({ start, end }: ByteRange): ExhibitError {
  return new ExhibitError("usage.invalid", "The file has no such range of bytes.", {
    facts: { start, end },
  });
}

export function nonsense(): ExhibitError {
  return new ExhibitError("unavailable.store", "The store sent other bytes than were asked for.", {
    facts: { status: 200 },
    hint: "Something between this computer and the store may be changing what is sent. Try again.",
  });
}

/** What there is to say of a key that nothing lies under. */
export function nothingThere(): ExhibitError {
  return new ExhibitError("not-found.content", "The store holds nothing under this key.", {
    hint: "Check the exhibit's reference, and that its upload was finished.",
  });
}
