import type { Kysely, Selectable, Transaction } from "kysely";
import type { Clock } from "../../evidence/ports/clock.ts";
import { placeInWords } from "../../evidence/note.ts";
import type { ShareAccessEvent } from "../../evidence/share.ts";
import type { ShareAccessRow } from "../database/share-tables.ts";
import type { Tables } from "../database/tables.ts";
import { addSegment, placesInWords } from "./segment-ranges.ts";

type Kind = ShareAccessEvent["kind"];

/** Where a request came from, as far as it tells; both empty for what the server did by itself. */
export interface Visitor {
  readonly address: string;
  /** The browser's name for itself. */
  readonly agent: string;
}

/** One access to be logged. */
export interface Access {
  readonly share: string;
  readonly kind: Kind;
  readonly from: Visitor;
  readonly session?: string;
  readonly exhibit?: string;
  /** The exhibit's file, from 1. */
  readonly ordinal?: number | undefined;
  readonly detail?: string;
  /** The number of the segment that was served, from 0. */
  readonly segment?: number;
}

/** Like accesses this close together share a row, so that nobody can fill the disk by reloading. */
const togetherMs = 15 * 60_000;
/** Each of these has its own row, always: they are few, and each counts. */
const alone: ReadonlySet<Kind> = new Set([
  ...["session-started", "code-wrong", "stream-cut", "share-renewed"],
  ...["mail-sent", "mail-delayed", "mail-refused", "code-sent", "code-delayed", "code-refused"],
] as Kind[]);

/** Writes down an access. Segments of one file and session share one row that says which were served. */
export async function logAccess(
  database: Kysely<Tables>,
  clock: Clock,
  access: Access,
): Promise<void> {
  await database.transaction().execute((trx) => writeAccess(trx, clock, access));
}

/** As {@link logAccess}, inside the caller's transaction. True when it has a row of its own: nothing like it was there. */
export async function writeAccess(
  trx: Transaction<Tables>,
  clock: Clock,
  access: Access,
): Promise<boolean> {
  const at = clock.now();
  const like = alone.has(access.kind) ? undefined : await findLike(trx, access, at);
  if (like === undefined) {
    await trx
      .insertInto("share_accesses")
      .values({
        share_id: access.share,
        session_id: access.session ?? null,
        kind: access.kind,
        address: access.from.address,
        agent: access.from.agent,
        exhibit_id: access.exhibit ?? null,
        ordinal: access.ordinal ?? null,
        detail: access.detail ?? null,
        first_at: at.toISOString(),
        last_at: at.toISOString(),
        times: 1,
        segments: access.segment === undefined ? null : addSegment("", access.segment),
      })
      .execute();
    return true;
  }
  const segments =
    access.segment === undefined ? null : addSegment(like.segments ?? "", access.segment);
  await trx
    .updateTable("share_accesses")
    .set((set) => ({ last_at: at.toISOString(), times: set("times", "+", 1), segments }))
    .where("seq", "=", like.seq)
    .execute();
  return false;
}

async function findLike(
  trx: Transaction<Tables>,
  access: Access,
  at: Date,
): Promise<{ seq: number; segments: string | null } | undefined> {
  const since = new Date(at.getTime() - togetherMs).toISOString();
  return trx
    .selectFrom("share_accesses")
    .select(["seq", "segments"])
    .where("share_id", "=", access.share)
    .where("kind", "=", access.kind)
    .where("address", "=", access.from.address)
    .where("agent", "=", access.from.agent)
    .where("session_id", "is", access.session ?? null)
    .where("exhibit_id", "is", access.exhibit ?? null)
    .where("ordinal", "is", access.ordinal ?? null)
    .where("detail", "is", access.detail ?? null)
    .$if(access.segment === undefined, (query) => query.where("last_at", ">=", since))
    .orderBy("seq", "desc")
    .limit(1)
    .executeTakeFirst();
}

/**
 * A share's accesses, oldest first. A page fetched without a code is a `prefetch`, until a session was
 * started from the same address with the same browser: then it was the recipient, and is a `page`.
 */
export async function readAccesses(
  database: Kysely<Tables>,
  share: string,
): Promise<ShareAccessEvent[]> {
  const rows = await database
    .selectFrom("share_accesses")
    .leftJoin("exhibits", "exhibits.id", "share_accesses.exhibit_id")
    .selectAll("share_accesses")
    .select("exhibits.reference")
    .where("share_id", "=", share)
    .orderBy("seq")
    .execute();
  const visitor = (row: Selectable<ShareAccessRow>): string => `${row.address}\n${row.agent}`;
  const recipients = new Set(rows.filter((row) => row.kind === "session-started").map(visitor));
  const accesses = rows.map((row): ShareAccessEvent => {
    const people = row.kind === "prefetch" && recipients.has(visitor(row));
    const detail = detailOf(row);
    return {
      at: row.first_at,
      kind: people ? "page" : row.kind,
      ...(row.address === "" ? {} : { address: row.address, agent: row.agent }),
      ...(row.session_id === null ? {} : { session: row.session_id }),
      ...(row.reference === null ? {} : { reference: row.reference }),
      ...(detail === "" ? {} : { detail }),
    };
  });
  const notes = await noteEvents(database, share);
  if (notes.length === 0) return accesses;
  return [...accesses, ...notes].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** A share's notes as lines of its log, with the address and browser of the session that each was left in. */
async function noteEvents(database: Kysely<Tables>, share: string): Promise<ShareAccessEvent[]> {
  const rows = await database
    .selectFrom("share_notes")
    .innerJoin("exhibits", "exhibits.id", "share_notes.exhibit_id")
    .innerJoin("share_sessions", "share_sessions.id", "share_notes.session_id")
    .select(["share_notes.at", "ordinal", "seconds", "page", "text", "session_id"])
    .select(["exhibits.reference", "share_sessions.address", "share_sessions.agent"])
    .where("share_notes.share_id", "=", share)
    .orderBy("share_notes.seq")
    .execute();
  return rows.map(({ at, address, agent, session_id, reference, ordinal, seconds, page, text }) => {
    const place = placeInWords({ seconds: seconds ?? undefined, page: page ?? undefined });
    const where = [`file ${ordinal}`, place].filter((one) => one !== "").join(" ");
    const detail = `${where}: ${text}`;
    return { at, kind: "note-left", address, agent, session: session_id, reference, detail };
  });
}

function detailOf(row: Selectable<ShareAccessRow>): string {
  const parts: string[] = [];
  if (row.ordinal !== null) parts.push(`file ${row.ordinal}`);
  if (row.detail !== null) parts.push(row.detail);
  if (row.segments !== null) parts.push(placesInWords(row.segments));
  if (row.times > 1) parts.push(`${row.times} times, last at ${row.last_at}`);
  return parts.join(", ");
}
