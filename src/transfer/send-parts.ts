import { createHash } from "node:crypto";
import type { WholeDigests } from "../evidence/digest.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { Part, StoredPart, Upload } from "../evidence/ports/store.ts";
import { ContentHash, type WantedDigests } from "./content-hash.ts";
import { parkedAfter, parkingMs } from "./parking.ts";
import type { PartBuffers } from "./part-buffers.ts";
import { partOf } from "./part-of.ts";
import type { WatchedFile } from "./watched-file.ts";

export interface PartsToSend {
  readonly file: WatchedFile;
  readonly upload: Upload;
  /** The parts that the store holds already, in order of offset. */
  readonly held: readonly StoredPart[];
  readonly wanted: WantedDigests;
  /** One for each part in flight. */
  readonly buffers: PartBuffers;
  /** How long the next new part shall be; no more than the upload's `partBytes`. */
  readonly nextLength: () => number;
  /** Settles once the part is durable; repeats by itself what may pass. */
  readonly send: (part: Part, signal: AbortSignal) => Promise<void>;
  /** Told of each part when it is durable in the store. */
  readonly onPart: (bytes: number, sent: boolean) => void;
}

export interface PartsSent {
  readonly whole: WholeDigests;
  readonly bytesSent: number;
  readonly bytesSkipped: number;
}

/**
 * Reads a file once, part by part in order, and sends the parts that the store does not hold, several at a time, in the gaps
 * between those that it holds. One buffer serves the file's digests, the part's digest and every try of sending it, so
 * that no repetition can send other bytes than were hashed. When the signal is aborted, nothing more is read, and parts in
 * flight have a little time to arrive.
 *
 * @throws ExhibitError `integrity.source-changed`, also when a part that the store holds is not what the source has
 * now; whatever `send` throws, once every other part has stopped; the signal's reason
 */
export async function sendParts(
  { file, upload, held, wanted, buffers, nextLength, send, onPart }: PartsToSend,
  signal: AbortSignal,
): Promise<PartsSent> {
  const whole = new ContentHash(wanted);
  const stop = new AbortController();
  const parking = parkedAfter(signal, parkingMs);
  const inFlight = AbortSignal.any([parking.signal, stop.signal]);
  const reading = AbortSignal.any([signal, stop.signal]);
  const flights = new Set<Promise<void>>();
  let bytesSent = 0;
  let bytesSkipped = 0;

  const fly = async (part: Part, buffer: Buffer): Promise<void> => {
    try {
      await send(part, inFlight);
      bytesSent += part.length;
      onPart(part.length, true);
    } catch (error) {
      stop.abort(error);
    } finally {
      buffers.give(buffer);
    }
  };

  const read = async (offset: number, length: number, buffer: Buffer): Promise<Part> => {
    const bytes = buffer.subarray(0, length);
    await file.fill(bytes, offset);
    whole.update(bytes);
    return partOf(offset, bytes, wanted);
  };

  const readAll = async (): Promise<void> => {
    let place = 0;
    for (let offset = 0; offset < upload.sizeBytes;) {
      while ((held[place]?.offset ?? Infinity) < offset) place += 1;
      const next = held[place];
      const buffer = await buffers.take(upload.partBytes, reading);
      const gap = (next?.offset ?? upload.sizeBytes) - offset;
      const length = gap > 0 ? Math.min(nextLength(), gap) : (next?.length ?? 0);
      const part = await read(offset, length, buffer).catch((error: unknown) => {
        buffers.give(buffer);
        throw error;
      });
      offset += length;
      if (gap > 0) {
        const flight: Promise<void> = fly(part, buffer).finally(() => flights.delete(flight));
        flights.add(flight);
        continue;
      }
      try {
        if (next !== undefined) requireSame(part, next, upload);
      } finally {
        buffers.give(buffer);
      }
      bytesSkipped += length;
      onPart(length, false);
    }
  };

  try {
    await readAll().catch((error: unknown) => {
      // Interrupted: what is in flight may still arrive.
      if (!signal.aborted) stop.abort(error);
    });
    await Promise.all(flights);
  } finally {
    parking.end();
  }
  signal.throwIfAborted();
  stop.signal.throwIfAborted();
  return { whole: whole.digests(), bytesSent, bytesSkipped };
}

function requireSame(part: Part, there: StoredPart, upload: Upload): void {
  if (part.length === there.length && isOf(there.digest, part)) return;
  throw new ExhibitError(
    "integrity.source-changed",
    `The file is not what it was when its upload began: the part at byte ${part.offset} differs from what arrived.`,
    {
      hint: `To send it as it is now, first run: exhibit uploads abort ${upload.id}`,
      facts: { offset: part.offset, upload: upload.id },
    },
  );
}

/** A store may know of its parts another digest than ours: then it is worked out here, too. */
function isOf({ algorithm, hex }: StoredPart["digest"], part: Part): boolean {
  const known = algorithm === "md5" ? undefined : part[algorithm];
  if (known !== undefined) return hex === known;
  return hex === createHash(algorithm).update(part.bytes).digest("hex");
}
