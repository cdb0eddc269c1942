import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { parseKey, recordName } from "../../evidence/key.ts";
import { bundleLimits, mostRecordBytes } from "../../protocol/bundles.ts";
import { broken, tarEntries, type TarEntry } from "./tar-entries.ts";

/** What a bundle holds of one exhibit, whole. */
export interface Member {
  readonly case: string;
  readonly reference: string;
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly recordText: string;
}

/** Each exhibit is two files: its content and its record. */
const mostEntries = 2 * bundleLimits.maxExhibits;

/**
 * The exhibits of a bundle in the order in which they first appear, each whole or the reason why it is refused. Bytes are not
 * copied: they are parts of `stream`.
 *
 * @throws ExhibitError `integrity.mismatch` when the stream is broken, cut short or has another digest; `policy.too-large`
 */
export function readBundle(stream: Buffer, sha256: string): readonly (Member | ExhibitError)[] {
  if (sha256Of(stream) !== sha256) throw broken("it has not the digest that was declared");
  const entries = tarEntries(stream, mostEntries);
  const contentBytes = entries.reduce(
    (sum, entry) => sum + (isRecord(entry) ? 0 : entry.bytes.byteLength),
    0,
  );
  const byFolder = new Map<string, TarEntry[]>();
  for (const entry of entries) {
    // What is no file of an exhibit stands by itself, and is answered by itself.
    const folder = entry.isFile ? folderOf(entry.name) : undefined;
    const together = folder ?? `${entry.name}\0${byFolder.size}`;
    const others = byFolder.get(together);
    if (others === undefined) byFolder.set(together, [entry]);
    else others.push(entry);
  }
  if (byFolder.size > bundleLimits.maxExhibits || contentBytes > bundleLimits.maxBytes) {
    throw new ExhibitError("policy.too-large", "This bundle is larger than the server takes.", {
      hint: `Send ${bundleLimits.maxExhibits} exhibits and ${bundleLimits.maxBytes} bytes at most in one.`,
      facts: { exhibits: byFolder.size, contentBytes },
    });
  }
  return [...byFolder.values()].map(memberOf);
}

/** `<case>/<reference>` of a name that is a key of ours, as the store writes it. */
function folderOf(name: string): string | undefined {
  return parseKey(name) === undefined ? undefined : name.slice(0, name.lastIndexOf("/"));
}

function isRecord({ name }: TarEntry): boolean {
  return name.endsWith(`/${recordName}`);
}

function memberOf(entries: readonly TarEntry[]): Member | ExhibitError {
  const records = entries.filter(isRecord);
  const [record] = records;
  const [content, ...more] = entries.filter((entry) => !isRecord(entry));
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
