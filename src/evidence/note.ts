import { z } from "zod";
import { exhibitIdSchema } from "./address.ts";
import type { CustodyEvent } from "./custody.ts";
import { sha256Hex } from "./digest.ts";
import { ExhibitError } from "./errors.ts";
import { openSealed, sealedSchema, type PublicJwk, type Sealed } from "./seal.ts";

export const noteType = "exhibit.note/1";

export const longestNote = 500;
export const mostNotes = 200;

/** Control characters but the line feed, halves of characters, and those that turn the direction of the text around them. */
const unprintable = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/**
 * A note's text as it is kept: lines end with a line feed, other control and direction characters are blanks, nothing stands
 * around it. At least one and at most {@link longestNote} characters, as people count them.
 */
export const noteTextSchema = z
  .string()
  .max(20 * longestNote)
  .transform((text) =>
    text
      .normalize("NFC")
      .replace(/\r\n?/g, "\n")
      .split("\n")
      .map((line) => line.replace(unprintable, " ").trimEnd())
      .join("\n")
      .trim(),
  )
  .refine((text) => text !== "", "must not be empty")
  .refine((text) => [...text].length <= longestNote, `has at most ${longestNote} characters`);

/** Where in a file a note belongs: seconds from a recording's start, a document's page, or the file as a whole. */
export const notePlaceSchema = z.strictObject({
  seconds: z.number().nonnegative().max(1_000_000).optional(),
  page: z.number().int().min(1).max(100_000).optional(),
});
export type NotePlace = z.infer<typeof notePlaceSchema>;

/**
 * A note by a share's recipient, who has no key: the server that took it signs it, and names them by the share's id. It is
 * about the bytes with this digest, and never changes them.
 */
export const noteSchema = z.strictObject({
  schema: z.literal(noteType),
  exhibit: exhibitIdSchema,
  share: z.string(),
  /** The viewing session it was left in. */
  session: z.string(),
  at: z.iso.datetime(),
  /** The exhibit's file, from 1, and the digest of the original. */
  file: z.number().int().positive(),
  sha256: sha256Hex,
  place: notePlaceSchema,
  text: z.string(),
});
export type Note = z.infer<typeof noteSchema>;

/** A note on its exhibit's custody log: its place and words for people, and sealed, so that it can be shown apart from the log. */
export function noteFacts(note: Note, sealed: Sealed): CustodyEvent["facts"] {
  const { share, file, place, text } = note;
  return {
    share,
    file,
    ...(place.seconds === undefined ? {} : { seconds: place.seconds }),
    ...(place.page === undefined ? {} : { page: place.page }),
    text,
    sealed: JSON.stringify(sealed),
  };
}

/**
 * The note of a `noted` event, when `key` signed it and the event says the same as it.
 *
 * @throws ExhibitError `integrity.signature`
 */
export async function openNote(event: CustodyEvent, key: PublicJwk): Promise<Note> {
  const sealed = sealedSchema.safeParse(parseJson(event.facts["sealed"]));
  if (!sealed.success) throw notThatNote(event.seq);
  const note = noteSchema.safeParse(await openSealed(sealed.data, noteType, key));
  if (!note.success || note.data.exhibit !== event.exhibit) throw notThatNote(event.seq);
  const told = JSON.stringify(noteFacts(note.data, sealed.data));
  if (note.data.share !== event.actor || told !== JSON.stringify(event.facts)) {
    throw notThatNote(event.seq);
  }
  return note.data;
}

/** The thumbprint of the key that a `noted` event says it was signed with, to find that key by. */
export function noteSigner({ facts }: CustodyEvent): string | undefined {
  const sealed = sealedSchema.safeParse(parseJson(facts["sealed"]));
  const header = Buffer.from(sealed.data?.signatures[0]?.protected ?? "", "base64url");
  const kid = z.object({ kid: z.string() }).safeParse(parseJson(header.toString("utf8")));
  return kid.data?.kid;
}

/** Where a note belongs, for people: `at 0:01:23`, `on page 4`, or nothing for the whole file. */
export function placeInWords({ seconds, page }: NotePlace): string {
  if (page !== undefined) return `on page ${page}`;
  if (seconds === undefined) return "";
  return `at ${clockTime(seconds)}`;
}

/** Seconds as `0:01:23`. */
export function clockTime(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

function parseJson(text: unknown): unknown {
  try {
    return JSON.parse(String(text)) as unknown;
  } catch {
    return undefined;
  }
}

function notThatNote(line: number): ExhibitError {
  return new ExhibitError(
    "integrity.signature",
    `The note in line ${line} of the custody log is not the one that was signed.`,
    {
      hint: "It was changed after it was left. Keep the log as it is and tell your administrator.",
    },
  );
}
