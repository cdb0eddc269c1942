import { z } from "zod";
import { ExhibitError } from "./errors.ts";
import { sha256Hex, sha256Of } from "./digest.ts";
import { exhibitIdSchema } from "./address.ts";

export const custodyType = "exhibit.custody/1";

/** The law's six verbs (Data Protection Act 2018 section 62), then technical events. */
export const custodyVerbs = [
  "collected",
  "altered",
  "consulted",
  "disclosed",
  "combined",
  "erased",
  "reserved",
  "upload-started",
  "upload-aborted",
  "received",
  "proved",
  "sealed",
  "share-created",
  "share-updated",
  "share-renewed",
  "share-revoked",
  "noted",
  "verified",
  "indexed-again",
] as const;

/** One thing that happened to an exhibit. `actor` is an identity's id, a share's id, or `server`: never a name. */
export const custodyEventSchema = z.strictObject({
  schema: z.literal(custodyType),
  seq: z.number().int().positive(),
  exhibit: exhibitIdSchema,
  at: z.iso.datetime(),
  verb: z.enum(custodyVerbs),
  actor: z.string().min(1),
  facts: z.record(z.string(), z.union([z.string(), z.number()])),
  /** SHA-256 of the line before, without its line feed; 64 zeros for the first. */
  previous: sha256Hex,
});
export type CustodyEvent = z.infer<typeof custodyEventSchema>;
export type CustodyVerb = CustodyEvent["verb"];

/** Where a log stands: how many lines, and the digest of the last. */
export interface CustodyHead {
  readonly lines: number;
  readonly head: string;
}

export const emptyCustody: CustodyHead = { lines: 0, head: "0".repeat(64) };

/** The next line of a log (no line feed) and where the log stands after it. */
export function nextCustodyLine(
  before: CustodyHead,
  event: Readonly<Pick<CustodyEvent, "exhibit" | "at" | "verb" | "actor" | "facts">>,
): { line: string; after: CustodyHead } {
  const full: CustodyEvent = {
    schema: custodyType,
    seq: before.lines + 1,
    exhibit: event.exhibit,
    at: event.at,
    verb: event.verb,
    actor: event.actor,
    facts: event.facts,
    previous: before.head,
  };
  const line = JSON.stringify(full);
  return { line, after: { lines: full.seq, head: sha256Of(line) } };
}

/**
 * Checks a log from its first line: every line well formed, numbered without a gap, of one exhibit, each carrying
 * the digest of the line before.
 *
 * @throws ExhibitError `integrity.chain`, naming the first line that does not fit
 */
export function checkCustody(lines: readonly string[]): {
  events: CustodyEvent[];
  head: CustodyHead;
} {
  const events: CustodyEvent[] = [];
  let head = emptyCustody;
  for (const line of lines) {
    const event = custodyEventSchema.safeParse(parseJson(line));
    const fits =
      event.success &&
      event.data.seq === head.lines + 1 &&
      event.data.previous === head.head &&
      event.data.exhibit === (events[0]?.exhibit ?? event.data.exhibit);
    if (!fits) {
      throw new ExhibitError(
        "integrity.chain",
        `The custody log does not fit together at line ${head.lines + 1}.`,
        {
          hint: "The log was altered after it was written. Keep it as it is and tell your administrator.",
        },
      );
    }
    events.push(event.data);
    head = { lines: event.data.seq, head: sha256Of(line) };
  }
  return { events, head };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
