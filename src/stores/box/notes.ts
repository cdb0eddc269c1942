import { z } from "zod";
import { buffer } from "node:stream/consumers";
import { sha256Of } from "../../evidence/digest.ts";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import { keySchema } from "../../evidence/key.ts";
import type { Upload } from "../../evidence/ports/store.ts";
import type { Files } from "./files.ts";
import { isFile, type BoxItem } from "./items.ts";
import { readFile } from "./reading.ts";
import { endpointsSchema, foreignHost } from "./sessions.ts";

/** Beside the cases: no case can have this name. */
const folder = ".uploads";

const noteSchema = z.strictObject({
  schema: z.literal("exhibit.box-upload/1"),
  token: z.string().regex(/^u[0-9a-z]{26}$/),
  key: keySchema,
  sizeBytes: z.int().positive(),
  partBytes: z.int().positive(),
  startedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime({ offset: true }),
  /** The folder that it leads into. */
  folderId: z.string().regex(/^\d{1,20}$/),
  /** What Box calls the upload, and where it is spoken to about it. */
  sessionId: z.string().min(1),
  endpoints: endpointsSchema,
});

/** What makes a session known as ours, for a computer that lost its state, too: Box lists sessions to nobody. Written before any part is sent. */
export type Note = z.infer<typeof noteSchema>;

export interface FoundNote {
  readonly note: Note;
  readonly fileId: string;
}

export function uploadOf({ token, key, sizeBytes, partBytes }: Note): Upload {
  return { id: token, key, sizeBytes, partBytes };
}

/** One for each key and size, so that two who begin at once find each other. */
function nameOf({ key, sizeBytes }: Pick<Upload, "key" | "sizeBytes">): string {
  return `${sha256Of(key).slice(0, 32)}-${sizeBytes}.json`;
}

/** Undefined when another upload of this key and size is under way. */
export async function writeNote(
  files: Files,
  note: Note,
  signal: AbortSignal,
): Promise<FoundNote | undefined> {
  const bytes = Buffer.from(`${JSON.stringify(note)}\n`);
  const made = await files.create(folder, nameOf(note), bytes, signal);
  return "file" in made ? { note, fileId: made.file.id } : undefined;
}

export async function findNote(
  files: Files,
  wanted: Pick<Upload, "key" | "sizeBytes">,
  signal: AbortSignal,
): Promise<FoundNote | undefined> {
  const file = await files.findIn(folder, nameOf(wanted), signal);
  if (file === undefined) return undefined;
  const text = await textOf(files, file.id, signal);
  // Taken away since it was seen: the upload has ended.
  if (text === undefined) return undefined;
  const found = noteIn(text);
  // Believed only where it lies, and as far as it leads to Box: others can write there, too.
  const isIts =
    found?.key === wanted.key &&
    found.sizeBytes === wanted.sizeBytes &&
    foreignHost(files.api, found.endpoints) === undefined;
  if (isIts) return { note: found, fileId: file.id };
  throw new ExhibitError(
    "integrity.mismatch",
    `${folder}/${file.name} in Box is not what was written.`,
    {
      hint: "Delete it in Box, then run the same command again. No content is lost by that.",
    },
  );
}

/** All notes in the store. */
export async function* listNotes(files: Files, signal: AbortSignal): AsyncGenerator<FoundNote> {
  const folderId = await files.folders.find(folder, signal);
  if (folderId === undefined) return;
  const items: BoxItem[] = [];
  for await (const item of files.folders.items(folderId, signal)) items.push(item);
  for (const item of items.filter(isFile)) {
    const note = noteIn((await textOf(files, item.id, signal)) ?? "");
    if (note === undefined || nameOf(note) !== item.name) continue;
    if (foreignHost(files.api, note.endpoints) === undefined) yield { note, fileId: item.id };
  }
}

/** Undefined where it is not there any more. */
async function textOf(files: Files, id: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await buffer(await readFile(files.api, id, undefined, signal))).toString("utf8");
  } catch (error) {
    if (hasCode(error, "not-found.content")) return undefined;
    throw error;
  }
}

function noteIn(text: string): Note | undefined {
  try {
    return noteSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
