import { once } from "node:events";

/**
 * Writes no faster than it is taken.
 *
 * @returns false when nobody reads the stream any more
 */
export async function written(
  stream: NodeJS.WritableStream,
  text: string | Uint8Array,
): Promise<boolean> {
  if (!stream.writable) return false;
  if (stream.write(text)) return true;
  const gone = new AbortController();
  try {
    await Promise.race([
      once(stream, "drain", { signal: gone.signal }),
      once(stream, "close", { signal: gone.signal }),
    ]);
  } catch {
    // Told by the stream itself, where it is more than a reader that has seen enough.
    return false;
  } finally {
    gone.abort();
  }
  return stream.writable;
}
