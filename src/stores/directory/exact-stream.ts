import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { ExhibitError } from "../../evidence/errors.ts";
import type { ByteRange } from "../../evidence/ports/store.ts";

const blockBytes = 256 * 1024;

/** Opens a file for reading; a link in its place is refused where the platform can (`ELOOP`). */
export function openForReading(file: string): Promise<FileHandle> {
  // Windows has no such flag: types say a number, the platform says undefined.
  const noFollow = (constants as Partial<typeof constants>).O_NOFOLLOW ?? 0;
  return open(file, constants.O_RDONLY | noFollow);
}

/** A range of an open file as a stream that fails, and never just ends, when the file is too short. Closes the file. */
export function exactStream(handle: FileHandle, range: ByteRange): Readable {
  let position = range.start;
  return new Readable({
    highWaterMark: blockBytes,
    read() {
      const want = Math.min(blockBytes, range.end - position);
      if (want === 0) {
        this.push(null);
        return;
      }
      handle.read(Buffer.allocUnsafe(want), 0, want, position).then(
        ({ bytesRead, buffer }) => {
          position += bytesRead;
          if (bytesRead > 0) this.push(buffer.subarray(0, bytesRead));
          else this.destroy(tooShort(range.end, position));
        },
        (error: unknown) => {
          this.destroy(error as Error);
        },
      );
    },
    destroy(error, callback) {
      handle.close().then(
        () => {
          callback(error);
        },
        (failure: unknown) => {
          callback(error ?? (failure as Error));
        },
      );
    },
  });
}

function tooShort(expectedBytes: number, foundBytes: number): ExhibitError {
  return new ExhibitError("integrity.mismatch", "A file in the store is shorter than it was.", {
    hint: "The store was altered or its disk is failing. Tell its administrator.",
    facts: { expectedBytes, foundBytes },
  });
}
