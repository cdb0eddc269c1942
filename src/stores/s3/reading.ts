import { createHash } from "node:crypto";
import { addAbortSignal, Readable } from "node:stream";
import type { ByteRange } from "../../evidence/ports/store.ts";
import { exactly, isRange, nonsense, noSuchRange, nothingThere } from "../exact-bytes.ts";
import type { S3Streamed } from "./bucket.ts";
import { readHeaders } from "./encryption.ts";
import { failureOf } from "./failures.ts";
import { headOf, objectOf, type Tried } from "./objects.ts";

/**
 * The bytes of a key or of a range of it, exactly as many as asked for or promised: a stream that ends early fails.
 *
 * @throws ExhibitError `not-found.content`, `usage.invalid` for a range that is not there, `unavailable.store`
 */
export async function readObject(
  store: Tried,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<Readable> {
  const { bucket } = store;
  const object = objectOf(store, key);
  if (range !== undefined && !isRange(range)) throw noSuchRange(range);
  if (range !== undefined && range.start === range.end) {
    const head = await headOf(store, object, signal);
    if (head === undefined) throw nothingThere();
    if (range.end > head.sizeBytes) throw noSuchRange(range);
    return Readable.from([]);
  }
  const headers = {
    ...readHeaders(bucket),
    ...(range === undefined ? {} : { range: `bytes=${range.start}-${range.end - 1}` }),
  };
  const answer = await bucket.stream({ method: "GET", key: object, headers }, signal);
  // Destroyed below when it is not wanted; that is no failure of ours.
  answer.body.on("error", () => undefined);
  const length = await lengthOf(answer, range);
  const bytes = Readable.from(
    exactly(answer.body, length, bucket.address.endpoint ?? "https://amazonaws.com", signal),
    {
      objectMode: false,
    },
  );
  bytes.once("close", () => {
    answer.body.destroy();
  });
  return addAbortSignal(signal, bytes);
}

/** Reads a key again and gives its SHA-256 in hex. @throws ExhibitError as {@link readObject} */
export async function hashOf(store: Tried, key: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of await readObject(store, key, undefined, signal))
    hash.update(bytes as Buffer);
  return hash.digest("hex");
}

/** How many bytes an answer must bring. */
async function lengthOf(
  { status, headers, body }: S3Streamed,
  range: ByteRange | undefined,
): Promise<number> {
  const length = Number(headers["content-length"]);
  if (range === undefined && status === 200 && Number.isSafeInteger(length)) return length;
  if (range !== undefined && status === 206) {
    const isWhole = (headers["content-range"] ?? "").startsWith(
      `bytes ${range.start}-${range.end - 1}/`,
    );
    if (isWhole) return range.end - range.start;
    body.destroy();
    throw noSuchRange(range);
  }
  if (range !== undefined && status === 416) {
    body.destroy();
    throw noSuchRange(range);
  }
  if (status < 300) {
    body.destroy();
    throw nonsense();
  }
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece as Buffer));
  throw failureOf({ status, headers, body: Buffer.concat(pieces) });
}
