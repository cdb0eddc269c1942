import type { Kysely } from "kysely";
import { ExhibitError } from "../../evidence/errors.ts";
import { mostNotes, noteFacts, noteType, type Note, type NotePlace } from "../../evidence/note.ts";
import { seal } from "../../evidence/seal.ts";
import { appendCustody } from "../custody/custody.ts";
import type { ShareNoteRow } from "../database/share-tables.ts";
import type { Tables } from "../database/tables.ts";
import type { ShareDesk } from "./share-desk.ts";
import { isShared, type StoredShare } from "./share-rows.ts";

/** A note as its recipient's page shows it. */
export type LeftNote = Pick<
  ShareNoteRow,
  "exhibit_id" | "ordinal" | "seconds" | "page" | "text" | "at"
>;

/** What a note is about. */
export interface NotedFile {
  readonly exhibit: string;
  /** The exhibit's file, from 1. */
  readonly ordinal: number;
  readonly sha256: string;
}

/**
 * Puts a recipient's note on the exhibit's custody log, sealed with the server's key in the recipient's stead, and among the
 * share's notes: both or neither.
 *
 * @param text as `noteTextSchema` gives it
 * @throws ExhibitError `policy.not-permitted` where the share takes none, or no more; `not-found.share` when it ended just now
 */
export async function leaveNote(
  { deps }: ShareDesk,
  { share, session }: { readonly share: StoredShare; readonly session: { readonly id: string } },
  { exhibit, ordinal, sha256 }: NotedFile,
  place: NotePlace,
  text: string,
): Promise<LeftNote> {
  const { database, clock, key } = deps;
  if (share.no_notes === 1) throw notTaken("No notes can be left on this page.");
  const at = clock.now().toISOString();
  const note: Note = {
    schema: noteType,
    exhibit,
    share: share.id,
    session: session.id,
    at,
    file: ordinal,
    sha256,
    place,
    text,
  };
  const sealed = await seal(note, noteType, key);
  const left: LeftNote = {
    exhibit_id: exhibit,
    ordinal,
    seconds: place.seconds ?? null,
    page: place.page ?? null,
    text,
    at,
  };
  await database.transaction().execute(async (trx) => {
    // Here and not before: a revocation is either seen, or comes after the note.
    if (!(await isShared(trx, session.id, exhibit, clock.now()))) {
      throw new ExhibitError("not-found.share", "This link has ended.");
    }
    if ((await notesOf(trx, share.id)).length >= mostNotes) {
      throw notTaken(`There are ${mostNotes} notes already; no more can be left.`);
    }
    await trx
      .insertInto("share_notes")
      .values({ share_id: share.id, session_id: session.id, ...left })
      .execute();
    await appendCustody(trx, clock, exhibit, "noted", share.id, noteFacts(note, sealed));
  });
  return left;
}

/** All notes that were left through a share, oldest first. */
export async function notesOf(database: Kysely<Tables>, share: string): Promise<LeftNote[]> {
  return database
    .selectFrom("share_notes")
    .select(["exhibit_id", "ordinal", "seconds", "page", "text", "at"])
    .where("share_id", "=", share)
    .orderBy("seq")
    .execute();
}

function notTaken(message: string): ExhibitError {
  return new ExhibitError("policy.not-permitted", message, {
    hint: "Tell the person who shared this with you what you have to say.",
  });
}
