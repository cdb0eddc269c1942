import { ExhibitError } from "../../evidence/errors.ts";
import { exhibitPrefix, recordName } from "../../evidence/key.ts";
import type { SmallExhibit } from "../../evidence/ports/bundles.ts";

const blockBytes = 512;

/** Lengths of a header's two fields for a name (POSIX.1, ustar interchange format). */
const nameBytes = 100;
const prefixBytes = 155;

/** A stream ends with two blocks of zeros. */
const endBytes = 2 * blockBytes;

/**
 * Exhibits as one tar stream, whole in memory: each one's record, then its file. The same exhibits give the same bytes. Written
 * here, because a library's stream an entry costs more than all else that is done for an exhibit of ten kilobytes.
 *
 * @throws ExhibitError `policy.too-large` for a name that a header cannot hold: that exhibit has to go by itself
 */
export function bundleTar(exhibits: readonly SmallExhibit[]): Buffer {
  const entries = exhibits.flatMap(({ entry, key, bytes, record }) => [
    {
      name: `${exhibitPrefix(entry.case, entry.reference)}/${recordName}`,
      bytes: Buffer.from(JSON.stringify(record)),
    },
    { name: key, bytes },
  ]);
  const length = entries.reduce((sum, { bytes }) => sum + blockBytes + padded(bytes.length), 0);
  const tar = Buffer.alloc(length + endBytes);
  let at = 0;
  for (const { name, bytes } of entries) {
    writeHeader(tar.subarray(at, at + blockBytes), name, bytes.length);
    tar.set(bytes, at + blockBytes);
    at += blockBytes + padded(bytes.length);
  }
  return tar;
}

function padded(length: number): number {
  return Math.ceil(length / blockBytes) * blockBytes;
}

/** The header of a regular file. Names and lengths are all that counts; a time would only make the same bundle another. */
function writeHeader(header: Buffer, name: string, length: number): void {
  const [prefix, rest] = dividedName(name);
  header.write(rest, 0, "latin1");
  header.write(octal(0o644, 8), 100, "latin1");
  for (const owner of [108, 116]) header.write(octal(0, 8), owner, "latin1");
  header.write(octal(length, 12), 124, "latin1");
  header.write(octal(0, 12), 136, "latin1");
  // Counted as blanks in its own sum.
  header.write(" ".repeat(8), 148, "latin1");
  header.write("0", 156, "latin1");
  header.write("ustar\0" + "00", 257, "latin1");
  header.write(prefix, 345, "latin1");
  // A plain loop: a call for each byte is what cost most in all of a bundle's making.
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${octal(sum, 7)} `, 148, "latin1");
}

/** A key holds no letters but those of ASCII; what does not fit into the name goes before it, up to a slash. */
function dividedName(name: string): readonly [prefix: string, rest: string] {
  if (name.length <= nameBytes) return ["", name];
  const slash = name.indexOf("/", name.length - nameBytes - 1);
  if (slash > 0 && slash <= prefixBytes) return [name.slice(0, slash), name.slice(slash + 1)];
  throw new ExhibitError("policy.too-large", "This exhibit's key is too long for a bundle.", {
    hint: "Send this exhibit by itself.",
  });
}

/** A number as a field of so many bytes holds it, its end included. */
function octal(value: number, fieldBytes: number): string {
  return `${value.toString(8).padStart(fieldBytes - 1, "0")}\0`;
}
