import { formatAddress } from "../evidence/address.ts";
import { ExhibitError, familyOf } from "../evidence/errors.ts";
import { exhibitPrefix } from "../evidence/key.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import { keepsAs, type Retention } from "../evidence/retention.ts";
import { persistently } from "../transfer/persistence.ts";
import { severalAtATime } from "./several-at-a-time.ts";
import type { ExhibitUpload } from "./upload-exhibit.ts";
import type { UploadedExhibit } from "./upload-outcome.ts";
import type { UploadRequest } from "./upload-request.ts";

/** How the store shows that it keeps one of an exhibit's objects. */
export interface RetainedObject extends Retention {
  readonly key: string;
}

/** Objects that a failure names; of more it says how many. */
const mostNamed = 20;

/** Refuses, before anything is sent, what the store cannot retain. @throws ExhibitError `policy.unsupported` */
export function requireRetainable(
  asked: UploadRequest["retention"],
  { name, store }: Connection,
): void {
  if (asked === undefined) return;
  const { period, legalHold } = store.capabilities.retention;
  const [flag] = [
    ...(asked.period === undefined || period ? [] : ["--retain-until"]),
    ...(!asked.legalHold || legalHold ? [] : ["--legal-hold"]),
  ];
  if (flag === undefined) return;
  throw new ExhibitError(
    "policy.unsupported",
    `The store ${name} is not known to retain what it holds, and ${flag} was given. Nothing was sent.`,
    {
      hint: `Only a bucket in S3 with Object Lock does, once it was tried out: exhibit store check ${name}.`,
    },
  );
}

/**
 * Has the store retain all objects of a sealed exhibit, its documents too, and reads back what came of it, in key order.
 *
 * @throws ExhibitError `policy.not-retained` naming each object that is not retained as asked; all stay where they are
 */
export async function retainExhibit(
  { deps, connection, request }: Pick<ExhibitUpload, "deps" | "connection" | "request">,
  asked: Retention,
  entry: Pick<UploadedExhibit, "case" | "reference" | "receipt">,
  signal: AbortSignal,
): Promise<readonly RetainedObject[]> {
  const { store } = connection;
  const proved = new Map(entry.receipt.files.map(({ key, kept }) => [key, kept?.version]));
  const keys = await persistently(() => keysOf(connection, entry, signal), deps, signal);
  const failed = new Map<string, string>();
  const shown = await severalAtATime(keys, request.concurrency, signal, async (key, _, stop) => {
    try {
      const found = await persistently(() => store.retain(key, asked, stop), deps, stop);
      if (!keepsAs(found, asked)) failed.set(key, inWords(found));
      const version = proved.get(key);
      if (version !== undefined) {
        const there = await persistently(() => store.stat(key, stop), deps, stop);
        if (there?.kept?.version !== version) {
          failed.set(key, `another version lies over the one that was proved, ${version}.`);
        }
      }
      return { key, ...found };
    } catch (error) {
      if (!(error instanceof ExhibitError) || familyOf(error.code) !== "policy") throw error;
      failed.set(key, error.message);
      return { key, legalHold: false };
    }
  });
  if (failed.size === 0) return shown;
  const named = keys.filter((key) => failed.has(key)).slice(0, mostNamed);
  const more = failed.size > named.length ? ` And ${failed.size - named.length} more.` : "";
  throw new ExhibitError(
    "policy.not-retained",
    `${formatAddress(entry)} has arrived and is sealed, but is not retained as asked. ${named
      .map((key) => `${key}: ${failed.get(key) ?? ""}`)
      .join(" ")}${more}`,
    {
      hint: "It stays in the store, unprotected. Have the bucket's Object Lock and these keys' rights checked, then run the same command again.",
      facts: { notRetained: failed.size, objects: keys.length },
    },
  );
}

async function keysOf(
  { store }: Connection,
  { case: caseRef, reference }: Pick<UploadedExhibit, "case" | "reference">,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(`${exhibitPrefix(caseRef, reference)}/`, signal)) {
    keys.push(key);
  }
  return keys;
}

/** What a store shows, of one that shows less than it was asked for. */
function inWords({ period, legalHold }: Retention): string {
  const time =
    period === undefined ? "no retention" : `retained until ${period.until} (${period.mode})`;
  return `the store shows ${time} and ${legalHold ? "a legal hold" : "no legal hold"}.`;
}
