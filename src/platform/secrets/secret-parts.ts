import { randomBytes } from "node:crypto";
import type { Secrets } from "../../evidence/ports/secrets.ts";
import { sha256Of } from "../../evidence/sha256.ts";

/** A keychain's entries, one text each. */
export interface KeychainEntries {
  get(account: string): Promise<string | undefined>;
  set(account: string, text: string): Promise<void>;
  delete(account: string): Promise<void>;
  accounts(): Promise<readonly string[]>;
}

/** An entry says that its secret lies in parts, and they are not what it says. */
export class TornSecret extends Error {}

/** What stands under a secret's own name when the secret lies in parts. */
interface Head {
  /** Of the parts that belong together: when they were made (ms since 1970, base 36), and chance. */
  readonly generation: string;
  readonly count: number;
  readonly sha256: string;
}

/** Parts that no head names belong to a writer at work, or, when they are older than any writer lives, to one that died. */
const longestWriteMs = 60_000;

/**
 * Secrets of any length in a keychain whose entries take `entryBytes` of UTF-8. What fits is one entry under its name. What does not is cut
 * into parts of a new generation, which are all written before the entry under the name leads to them, and those of the old generation go
 * after that: whoever dies in between leaves the old secret or the new one. A name may be read at any time; those who write it come in turn.
 *
 * @throws TornSecret from `get`
 */
export function secretsInParts(
  entries: KeychainEntries,
  entryBytes: number,
): Omit<Secrets, "place"> {
  return {
    async get(name) {
      let text = await entries.get(name);
      for (;;) {
        const head = headOf(text);
        if (head === undefined) return text;
        const secret = await joined(entries, name, head);
        if (secret !== undefined) return secret;
        const now = await entries.get(name);
        // Else somebody has put another secret in its place meanwhile.
        if (now === text) throw new TornSecret();
        text = now;
      }
    },
    async set(name, secret) {
      const isWhole = Buffer.byteLength(secret) <= entryBytes && headOf(secret) === undefined;
      const head = isWhole ? undefined : await writeParts(entries, name, secret, entryBytes);
      const before = headOf(await entries.get(name));
      await entries.set(name, head === undefined ? secret : textOf(head));
      const oldest = Date.now() - longestWriteMs;
      // The secret is kept by now: what is left over of the old one goes with the next, where it cannot go now.
      await removeParts(
        entries,
        name,
        (generation) =>
          generation !== head?.generation &&
          (generation === before?.generation || madeAt(generation) < oldest),
      ).catch(() => undefined);
    },
    async delete(name) {
      await entries.delete(name);
      await removeParts(entries, name, () => true);
    },
  };
}

async function joined(
  entries: KeychainEntries,
  name: string,
  { generation, count, sha256 }: Head,
): Promise<string | undefined> {
  const parts: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const part = await entries.get(partName(name, generation, index));
    if (part === undefined) return undefined;
    parts.push(part);
  }
  const secret = parts.join("");
  return sha256Of(secret) === sha256 ? secret : undefined;
}

async function writeParts(
  entries: KeychainEntries,
  name: string,
  secret: string,
  entryBytes: number,
): Promise<Head> {
  const parts = cut(Buffer.from(secret), entryBytes);
  const generation = `${Date.now().toString(36)}-${randomBytes(6).toString("hex")}`;
  try {
    for (const [index, part] of parts.entries()) {
      await entries.set(partName(name, generation, index), part);
    }
  } catch (error) {
    await removeParts(entries, name, (made) => made === generation).catch(() => undefined);
    throw error;
  }
  return { generation, count: parts.length, sha256: sha256Of(secret) };
}

/** Pieces of at most `most` bytes, none of which ends inside a letter. */
function cut(bytes: Buffer, most: number): string[] {
  const parts: string[] = [];
  for (let start = 0; start < bytes.length;) {
    let end = Math.min(start + most, bytes.length);
    while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    parts.push(bytes.toString("utf8", start, end));
    start = end;
  }
  return parts;
}

async function removeParts(
  entries: KeychainEntries,
  name: string,
  isMeant: (generation: string) => boolean,
): Promise<void> {
  for (const account of await entries.accounts()) {
    const [, of, generation] = /^(.+) part ([0-9a-z]+-[0-9a-f]+)\.\d+$/s.exec(account) ?? [];
    if (of === name && generation !== undefined && isMeant(generation)) {
      await entries.delete(account);
    }
  }
}

function partName(name: string, generation: string, index: number): string {
  return `${name} part ${generation}.${index}`;
}

function madeAt(generation: string): number {
  return Number.parseInt(generation, 36);
}

function textOf({ generation, count, sha256 }: Head): string {
  return `exhibit.secret-in-parts/1 ${generation} ${count} ${sha256}`;
}

function headOf(text: string | undefined): Head | undefined {
  const [, generation, count, sha256] =
    /^exhibit\.secret-in-parts\/1 ([0-9a-z]+-[0-9a-f]+) (\d+) ([0-9a-f]{64})$/.exec(text ?? "") ??
    [];
  if (generation === undefined || count === undefined || sha256 === undefined) return undefined;
  return { generation, count: Number(count), sha256 };
}
