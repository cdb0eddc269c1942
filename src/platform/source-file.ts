import * as fs from "node:fs";
import { constants, type BigIntStats } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { ExhibitError } from "../evidence/errors.ts";
import type { SourceFile, SourceStat } from "../evidence/ports/source.ts";

// By descriptors and not by file handles: of a small file these six calls are most of what it costs here, and a handle makes
// each of them half as dear again.
const open = promisify(fs.open);
const read = promisify(fs.read);
const close = promisify(fs.close);
const fstat = promisify(fs.fstat);
const lstat = promisify(fs.lstat);

/**
 * Read-only; a link is refused; a FIFO is opened without waiting for its writer. Windows knows neither flag (there
 * they are undefined), and has neither thing.
 */
const readOnly = constants.O_RDONLY | flag(constants.O_NOFOLLOW) | flag(constants.O_NONBLOCK);

function flag(value: number | undefined): number {
  return value ?? 0;
}

/** A file's facts. */
export function sourceStat(stat: BigIntStats): SourceStat {
  return {
    sizeBytes: Number(stat.size),
    modifiedAtMs: Number(stat.mtimeNs / 1_000_000n),
    version: [stat.ino, stat.ctimeNs, stat.mtimeNs, stat.size].join(":"),
  };
}

/** Opens a regular file. @throws ExhibitError `not-found.source`, `unavailable.source` */
export async function openSourceFile(absolute: Buffer): Promise<SourceFile> {
  const descriptor = await openDescriptor(absolute);
  try {
    const stat = await heldStat(descriptor, absolute);
    if (!stat.isFile()) throw notAFile(absolute);
    return sourceFile(descriptor, absolute, sourceStat(stat));
  } catch (error) {
    await close(descriptor);
    throw error;
  }
}

function sourceFile(descriptor: number, absolute: Buffer, stat: SourceStat): SourceFile {
  let closing: Promise<void> | undefined;
  return {
    stat,
    read: (buffer, offset) => readFully(descriptor, absolute, buffer, offset),
    statAgain: () => statAgain(descriptor, absolute),
    // Once: the system may have given its number to another file meanwhile.
    close: () => (closing ??= close(descriptor)),
  };
}

async function openDescriptor(absolute: Buffer): Promise<number> {
  try {
    return await open(absolute, readOnly);
  } catch (cause) {
    switch ((cause as NodeJS.ErrnoException).code) {
      case "ENOENT":
      case "ENOTDIR":
        throw new ExhibitError("not-found.source", `The file ${name(absolute)} is not there.`, {
          hint: "It was moved or deleted, or its disk is no longer connected.",
          cause,
        });
      case "ELOOP":
      case "ENXIO":
        throw notAFile(absolute, cause);
      case "EACCES":
      case "EPERM":
        throw new ExhibitError("unavailable.source", `You may not read ${name(absolute)}.`, {
          hint: "Ask for permission to read this file, or run this as someone who has it.",
          cause,
        });
      default:
        throw unreadable(absolute, 0, cause);
    }
  }
}

async function readFully(
  descriptor: number,
  absolute: Buffer,
  buffer: Uint8Array,
  offset: number,
): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const position = offset + filled;
    try {
      const { bytesRead } = await read(
        descriptor,
        buffer,
        filled,
        buffer.length - filled,
        position,
      );
      if (bytesRead === 0) break;
      filled += bytesRead;
    } catch (cause) {
      throw unreadable(absolute, position, cause);
    }
  }
  return filled;
}

/** The descriptor tells what we read; the name tells whether others would still find the same file there. */
async function statAgain(descriptor: number, absolute: Buffer): Promise<SourceStat> {
  const held = await heldStat(descriptor, absolute);
  const named = await lstat(absolute, { bigint: true }).catch(async (cause: unknown) => {
    const isNowhere = /^ENO(?:ENT|TDIR)$/.test((cause as NodeJS.ErrnoException).code ?? "");
    if (!isNowhere || !(await isOnDisk(absolute, held.dev))) throw unreachable(absolute, cause);
    throw changed(absolute, "was moved or deleted", cause);
  });
  if (named.dev !== held.dev || named.ino !== held.ino) {
    throw changed(absolute, "was replaced by another file");
  }
  return sourceStat(held);
}

function heldStat(descriptor: number, absolute: Buffer): Promise<BigIntStats> {
  return fstat(descriptor, { bigint: true }).catch((cause: unknown) => {
    throw unreachable(absolute, cause);
  });
}

/** Whether the nearest folder that is still there lies on this device: a drive that dropped away took its folders along. */
async function isOnDisk(absolute: Buffer, device: bigint): Promise<boolean> {
  // Byte by byte, because a name need not be UTF-8.
  const folder = Buffer.from(path.dirname(absolute.toString("latin1")), "latin1");
  if (folder.equals(absolute)) return false;
  const stat = await lstat(folder, { bigint: true }).catch(() => undefined);
  return stat === undefined ? isOnDisk(folder, device) : stat.dev === device;
}

function unreachable(absolute: Buffer, cause: unknown): ExhibitError {
  return new ExhibitError(
    "unavailable.source",
    `${name(absolute)} can no longer be reached (${(cause as Error).message}).`,
    {
      hint: "Check that its disk or network drive is connected, then run the same command again.",
      cause,
    },
  );
}

function changed(absolute: Buffer, what: string, cause?: unknown): ExhibitError {
  return new ExhibitError(
    "integrity.source-changed",
    `${name(absolute)} ${what} while it was read.`,
    {
      hint: "Wait until nothing writes to it any more, then run the same command again.",
      cause,
    },
  );
}

function notAFile(absolute: Buffer, cause?: unknown): ExhibitError {
  return new ExhibitError("not-found.source", `${name(absolute)} is not a regular file.`, {
    hint: "Links, pipes, sockets and devices are not sent: name a file.",
    cause,
  });
}

function unreadable(absolute: Buffer, offset: number, cause: unknown): ExhibitError {
  return new ExhibitError(
    "unavailable.source",
    `${name(absolute)} cannot be read at byte ${offset} (${(cause as Error).message}).`,
    {
      hint: "The disk or its cable may be damaged. Do not write to it; copy it first, then try again.",
      facts: { offset },
      cause,
    },
  );
}

function name(absolute: Buffer): string {
  return absolute.toString("utf8");
}
