import { extract } from "tar-stream";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { parseKey, recordName } from "../../evidence/key.ts";
import { bundleLimits, mostRecordBytes } from "../../protocol/bundles.ts";

/** What a bundle holds of one exhibit, whole. */
export interface Member {
  readonly case: string;
  readonly reference: string;
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly recordText: string;
}

/** One regular file in the stream, or why it is nothing that may be in there. */
interface Entry {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly isFile: boolean;
}

const blockBytes = 512;

/**
 * The exhibits of a bundle in the order in which they first appear, each whole or the reason why it is refused. Bytes are not
 * copied: they are parts of `stream`.
 *
 * @throws ExhibitError `integrity.mismatch` when the stream is broken, cut short or has another digest; `policy.too-large`
 */
export async function readBundle(
  stream: Buffer,
  sha256: string,
): Promise<readonly (Member | ExhibitError)[]> {
  if (sha256Of(stream) !== sha256) throw broken("it has not the digest that was declared");
  if (!endsWhole(stream)) throw broken("its end is missing");
  const entries = await entriesOf(stream);
  const contentBytes = entries.reduce(
    (sum, { name, bytes }) => sum + (name.endsWith(`/${recordName}`) ? 0 : bytes.byteLength),
    0,
  );
  const byFolder = new Map<string, Entry[]>();
  for (const entry of entries) {
    // What is no file of an exhibit stands by itself, and is answered by itself.
    const folder = entry.isFile ? folderOf(entry.name) : undefined;
    const together = folder ?? `${entry.name}\0${byFolder.size}`;
    byFolder.set(together, [...(byFolder.get(together) ?? []), entry]);
  }
  if (byFolder.size > bundleLimits.maxExhibits || contentBytes > bundleLimits.maxBytes) {
    throw new ExhibitError("policy.too-large", "This bundle is larger than the server takes.", {
      hint: `Send ${bundleLimits.maxExhibits} exhibits and ${bundleLimits.maxBytes} bytes at most in one.`,
      facts: { exhibits: byFolder.size, contentBytes },
    });
  }
  return [...byFolder.values()].map(memberOf);
}

/** A tar stream ends with two blocks of zeros; without them it may have been cut between two files. */
function endsWhole(stream: Buffer): boolean {
  const end = stream.subarray(-2 * blockBytes);
  return (
    stream.byteLength % blockBytes === 0 &&
    end.byteLength === 2 * blockBytes &&
    end.every((byte) => byte === 0)
  );
}

function entriesOf(stream: Buffer): Promise<Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: Entry[] = [];
    const reading = extract();
    reading.on("entry", ({ name, type }, body, next) => {
      const parts: Buffer[] = [];
      body.on("data", (part) => parts.push(part as Buffer));
      body.on("end", () => {
        const [only = Buffer.alloc(0)] = parts;
        const bytes = parts.length > 1 ? Buffer.concat(parts) : only;
        entries.push({ name, bytes, isFile: type === "file" });
        next();
      });
    });
    reading.on("finish", () => {
      resolve(entries);
    });
    reading.on("error", (cause: Error) => {
      reject(broken("it is not a well-formed tar stream", cause));
    });
    reading.end(stream);
  });
}

/** `<case>/<reference>` of a name that is a key of ours, as the store writes it. */
function folderOf(name: string): string | undefined {
  return parseKey(name) === undefined ? undefined : name.slice(0, name.lastIndexOf("/"));
}

function memberOf(entries: readonly Entry[]): Member | ExhibitError {
  const records = entries.filter(({ name }) => name.endsWith(`/${recordName}`));
  const [record] = records;
  const [content, ...more] = entries.filter((entry) => !records.includes(entry));
  const parts = content === undefined ? undefined : parseKey(content.name);
  if (content?.isFile === false || (content !== undefined && parts === undefined)) {
    return new ExhibitError("usage.invalid", "This is not a file of an exhibit.", {
      hint: "A bundle holds regular files that are named by their keys, and records.",
    });
  }
  if (
    record === undefined ||
    content === undefined ||
    parts === undefined ||
    records.length > 1 ||
    more.length > 0
  ) {
    return new ExhibitError("usage.invalid", "An exhibit in a bundle is one file and its record.", {
      hint: "Send an exhibit of several files by itself.",
      facts: { files: entries.length - records.length, records: records.length },
    });
  }
  const { maxFileBytes } = bundleLimits;
  if (content.bytes.byteLength > maxFileBytes || record.bytes.byteLength > mostRecordBytes) {
    return new ExhibitError("policy.too-large", "This is too large for a bundle.", {
      hint: "Send this exhibit by itself.",
      facts: { fileBytes: content.bytes.byteLength, recordBytes: record.bytes.byteLength },
    });
  }
  return {
    case: parts.case,
    reference: parts.reference,
    key: content.name,
    bytes: content.bytes,
    recordText: Buffer.from(record.bytes).toString("utf8"),
  };
}

function broken(how: string, cause?: Error): ExhibitError {
  return new ExhibitError(
    "integrity.mismatch",
    `The bundle did not arrive as it was sent: ${how}.`,
    {
      hint: "Nothing of it was taken. Send it again.",
      cause,
    },
  );
}
