import { ExhibitError } from "../../evidence/errors.ts";

/** One entry of a tar stream; its bytes are a part of the stream. */
export interface TarEntry {
  readonly name: string;
  readonly bytes: Buffer;
  /** Whether it is a regular file. */
  readonly isFile: boolean;
}

const blockBytes = 512;

/** A stream ends with two blocks of zeros; without them it may have been cut between two files. */
const endBytes = 2 * blockBytes;

/** Headers that say something of the entry after them: pax (POSIX.1) and GNU's long names and links. */
const speakOfTheNext = new Set(["x", "g", "X", "L", "K"]);

/**
 * The entries of a whole tar stream (POSIX.1, ustar interchange format), in order, in time linear in its length. Written here,
 * because a library that reads streams waits for ever, or fails where nobody can catch it, for bytes that a header promises
 * and the stream does not hold. Headers that change the entry after them are not taken.
 *
 * @throws ExhibitError `integrity.mismatch` when it is not well formed or cut short; `policy.too-large` for more than `most` entries
 */
export function tarEntries(stream: Buffer, most: number): TarEntry[] {
  const entries: TarEntry[] = [];
  let at = 0;
  while (!isEnd(stream, at)) {
    if (entries.length === most) throw tooMany(most);
    const header = stream.subarray(at, at + blockBytes);
    const { name, size, type } = headOf(header);
    const start = at + blockBytes;
    if (size > stream.length - endBytes - start) throw broken("an entry is longer than it");
    const bytes = stream.subarray(start, start + size);
    entries.push({ name, bytes, isFile: type === "0" || type === "\0" });
    at = start + Math.ceil(size / blockBytes) * blockBytes;
  }
  return entries;
}

/** Why nothing of a bundle is taken, whose stream is not the one that was sent. */
export function broken(how: string): ExhibitError {
  return new ExhibitError(
    "integrity.mismatch",
    `The bundle did not arrive as it was sent: ${how}.`,
    { hint: "Nothing of it was taken. Send it again." },
  );
}

/** Whether there is nothing but zeros from here on, as there must be from the first block of them. */
function isEnd(stream: Buffer, at: number): boolean {
  const rest = stream.subarray(at);
  if (rest.length < endBytes || rest.length % blockBytes !== 0) throw broken("its end is missing");
  if (rest.subarray(0, blockBytes).some((byte) => byte !== 0)) return false;
  // Every block is like the one before it.
  if (rest.subarray(blockBytes).equals(rest.subarray(0, -blockBytes))) return true;
  throw broken("something comes after its end");
}

function headOf(header: Buffer): { name: string; size: number; type: string } {
  const text = (from: number, length: number): string =>
    header.toString("latin1", from, from + length);
  const sum = octal(text(148, 8));
  // A plain loop: a call for each byte costs more than all else that is done with a header.
  let counted = 0;
  for (const byte of header) counted += byte;
  // Counted as blanks in its own sum.
  for (const byte of header.subarray(148, 156)) counted += 0x20 - byte;
  const size = octal(text(124, 12));
  const type = text(156, 1);
  // GNU tar has blanks after the magic word, and other things where a prefix would be.
  const isUstar = text(257, 6) === "ustar\0";
  if (sum !== counted || size === undefined || (!isUstar && text(257, 6) !== "ustar ")) {
    throw broken("it is not a well-formed tar stream");
  }
  if (speakOfTheNext.has(type)) throw broken("it has headers that a bundle does not have");
  const prefix = isUstar ? untilNul(text(345, 155)) : "";
  const name = untilNul(text(0, 100));
  return { name: prefix === "" ? name : `${prefix}/${name}`, size, type };
}

function untilNul(field: string): string {
  const [before = ""] = field.split("\0", 1);
  return before;
}

/** A number's field: blanks or NULs may end it. */
function octal(field: string): number | undefined {
  const [, digits] = /^ *([0-7]+)[ \0]*$/.exec(field) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

function tooMany(most: number): ExhibitError {
  return new ExhibitError("policy.too-large", "This bundle is larger than the server takes.", {
    hint: `Send ${most} files at most in one.`,
  });
}
