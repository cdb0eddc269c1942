import type { Kept, StoreCheck } from "../../evidence/kept.ts";
import type { Receipt } from "../../evidence/receipt.ts";
import { toTheSecond } from "./result.ts";

/** More files than this are not told one by one on stderr. */
const few = 20;

const etagWords: Readonly<Record<NonNullable<Kept["etagIs"]>, string>> = {
  md5: "the MD5 of the file",
  "md5-of-md5s": "the MD5 of its parts' MD5s",
  opaque: "the store's own mark",
};

const refusedWords: Readonly<Record<NonNullable<Kept["noOverwrite"]>, string>> = {
  "if-none-match": "the store itself would have refused to overwrite",
  "unique-name": "the store gives no name twice, so nothing was overwritten",
  "looked-before-and-after": "that nothing was overwritten was looked up before and afterwards",
};

const enforcedWords: Readonly<Record<string, string>> = {
  "payload-hash": "the signed SHA-256 of what arrives",
  "content-md5": "Content-MD5",
  "no-overwrite-put": "no overwriting in one request",
  "no-overwrite-complete": "no overwriting by an upload in parts",
  versioning: "versions",
  "object-lock": "Object Lock",
};

/** What a store keeps of a file, for people. */
export function keptWords({ version, etag, etagIs, checksums = {}, noOverwrite }: Kept): string {
  const words = [
    ...(version === undefined ? [] : [`version ${version}`]),
    ...(etag === undefined
      ? []
      : [`ETag ${etag}${etagIs === undefined ? "" : ` (${etagWords[etagIs]})`}`]),
    ...Object.entries(checksums).map(([algorithm, value]) => `${algorithm} ${value}`),
    ...(noOverwrite === undefined ? [] : [refusedWords[noOverwrite]]),
  ];
  return words.join(", ");
}

/** What a store was found to enforce, for people. */
export function storeCheckWords({ checkedAt, enforces }: StoreCheck): string {
  const words = enforces.map((one) => enforcedWords[one] ?? one);
  const what = words.length === 0 ? "nothing" : words.join(", ");
  return `${what} (tried out ${toTheSecond(checkedAt)})`;
}

/** Both, of a whole receipt: a line for the store, and one a file. Empty where the receipt says neither. */
export function* keptLines({ storeCheck, files }: Receipt): Generator<string> {
  if (storeCheck !== undefined) yield `the store enforced ${storeCheckWords(storeCheck)}`;
  const kept = files.flatMap((file) =>
    file.kept === undefined ? [] : [`${file.key}: ${keptWords(file.kept)}`],
  );
  yield* kept.slice(0, few);
  if (kept.length > few) yield `and ${kept.length - few} more files`;
}
