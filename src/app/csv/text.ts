import { ExhibitError } from "../../evidence/errors.ts";
import type { SourceFile } from "../../evidence/ports/source.ts";

const sliceBytes = 256 * 1024;

/** How a list's bytes are text, and how many of them say so at its beginning. */
interface Encoding {
  readonly label: "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";
  readonly markBytes: number;
}

/**
 * The text of a list, piece by piece: UTF-8 with or without a mark, UTF-16 with one (Excel's "Unicode text"), else Windows-1252 where
 * every byte of it is a character there. The whole file is looked at before the first piece is given.
 *
 * @throws ExhibitError `usage.invalid` where it is no text; `integrity.source-changed`, `unavailable.source`
 */
export async function* textOf(file: SourceFile, name: string): AsyncGenerator<string> {
  const { label, markBytes } = await encodingOf(file, name);
  const decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true });
  try {
    for await (const slice of slicesOf(file, markBytes)) {
      yield decoder.decode(slice, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw noText(name, error);
  }
  const now = await file.statAgain();
  if (now.version !== file.stat.version) throw changed(name);
}

async function encodingOf(file: SourceFile, name: string): Promise<Encoding> {
  const head = Buffer.alloc(4);
  const start = head.subarray(0, await file.read(head, 0));
  if (start.length === 0) throw new ExhibitError("usage.invalid", `${name} is empty.`);
  if (start.toString("latin1") === "PK\u0003\u0004") throw workbook(name);
  const hex = start.toString("hex");
  if (hex.startsWith("efbbbf")) return { label: "utf-8", markBytes: 3 };
  if (hex.startsWith("fffe")) return { label: "utf-16le", markBytes: 2 };
  if (hex.startsWith("feff")) return { label: "utf-16be", markBytes: 2 };
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let isUtf8 = true;
  for await (const slice of slicesOf(file, 0)) {
    if (isUtf8) isUtf8 = decodes(utf8, slice);
    if (slice.some(isUtf8 ? (byte) => byte === 0 : isStrange)) throw noText(name, undefined);
  }
  if (isUtf8 && decodes(utf8, undefined)) return { label: "utf-8", markBytes: 0 };
  return { label: "windows-1252", markBytes: 0 };
}

/** Control characters, and what Windows-1252 has no character for, come in no list. */
function isStrange(byte: number): boolean {
  return byte < 9 || (byte > 13 && byte < 32) || [0x81, 0x8d, 0x8f, 0x90, 0x9d].includes(byte);
}

function decodes(decoder: InstanceType<typeof TextDecoder>, slice: Buffer | undefined): boolean {
  try {
    if (slice === undefined) decoder.decode();
    else decoder.decode(slice, { stream: true });
    return true;
  } catch {
    return false;
  }
}

async function* slicesOf(file: SourceFile, from: number): AsyncGenerator<Buffer> {
  for (let offset = from; ;) {
    const slice = Buffer.alloc(sliceBytes);
    const filled = await file.read(slice, offset);
    if (filled === 0) return;
    yield slice.subarray(0, filled);
    offset += filled;
  }
}

function workbook(name: string): ExhibitError {
  return new ExhibitError("usage.invalid", `${name} is an Excel workbook, not a CSV file.`, {
    hint: 'Save it in Excel as "CSV UTF-8 (Comma delimited)", and give that file.',
  });
}

function noText(name: string, cause: unknown): ExhibitError {
  return new ExhibitError("usage.invalid", `${name} is not text that can be read for certain.`, {
    hint: 'Save it as UTF-8: in Excel as "CSV UTF-8 (Comma delimited)".',
    ...(cause === undefined ? {} : { cause }),
  });
}

function changed(name: string): ExhibitError {
  return new ExhibitError("integrity.source-changed", `${name} has changed while it was read.`, {
    hint: "Wait until nothing writes to it any more, then run the same command again.",
  });
}
