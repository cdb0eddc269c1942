import { createHash } from "node:crypto";
import { z } from "zod";
import { sha256Of } from "../../evidence/digest.ts";
import { keySchema } from "../../evidence/key.ts";
import type { Upload } from "../../evidence/ports/store.ts";
import { readHeaders } from "./encryption.ts";
import { failureOf } from "./failures.ts";
import { listObjects } from "./listing.ts";
import { putOnce, type Tried } from "./objects.ts";
import { notDeleted, versionsOf } from "./versions.ts";

/** Beside the cases: no case can have this name. */
const folder = ".uploads/";

const noteSchema = z.strictObject({
  schema: z.literal("exhibit.s3-upload/1"),
  /** Stands in the metadata of the object, too, once it is complete: so it is known as ours. */
  token: z.string().regex(/^u[0-9a-z]{26}$/),
  /** What the engine calls the upload. */
  uploadId: z.string().min(1),
  key: keySchema,
  sizeBytes: z.int().nonnegative(),
  partBytes: z.int().positive(),
  startedAt: z.iso.datetime(),
});

/** What makes an upload known as ours, for a computer that lost its state, too: written as soon as it has begun. */
export type Note = z.infer<typeof noteSchema>;

export interface FoundNote {
  readonly note: Note;
  /** The engine's ETag of the note is its MD5: so are those of parts, which are encrypted in the same way. */
  readonly etagsAreMd5: boolean;
}

export function uploadOf({ token, key, sizeBytes, partBytes }: Note): Upload {
  return { id: token, key, sizeBytes, partBytes };
}

/** Where the note of an upload lies: one for each key and size, so that two who begin at once find each other. */
function objectOfNote(
  { root }: Tried,
  { key, sizeBytes }: Pick<Upload, "key" | "sizeBytes">,
): string {
  return `${root}${folder}${sha256Of(key).slice(0, 32)}-${sizeBytes}.json`;
}

/** @throws ExhibitError `conflict.exists` when another upload of this key and size is under way */
export async function writeNote(store: Tried, note: Note, signal: AbortSignal): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(note)}\n`);
  await putOnce(store, objectOfNote(store, note), bytes, sha256Of(bytes), signal);
}

export async function findNote(
  store: Tried,
  wanted: Pick<Upload, "key" | "sizeBytes">,
  signal: AbortSignal,
): Promise<FoundNote | undefined> {
  const found = await readNote(store, objectOfNote(store, wanted), signal);
  // Believed only where it lies.
  const isIts = found?.note.key === wanted.key && found.note.sizeBytes === wanted.sizeBytes;
  return isIts ? found : undefined;
}

/** All notes in the store. */
export async function* listNotes(store: Tried, signal: AbortSignal): AsyncGenerator<FoundNote> {
  for await (const { object } of listObjects(store.bucket, `${store.root}${folder}`, signal)) {
    const found = await readNote(store, object, signal);
    if (found !== undefined && objectOfNote(store, found.note) === object) yield found;
  }
}

/** Forgets an upload. Every version goes, as far as the bucket lets it; where versions are locked, the note is only hidden. */
export async function removeNote(
  store: Tried,
  note: Pick<Upload, "key" | "sizeBytes">,
  signal: AbortSignal,
): Promise<void> {
  const key = objectOfNote(store, note);
  const { bucket, enforced } = store;
  const hasVersions = enforced.versioning === "enabled" || enforced.versioning === "suspended";
  if (!hasVersions) {
    await bucket.send({ method: "DELETE", key }, signal);
    return;
  }
  for (const { id } of notDeleted(await versionsOf(bucket, key, signal))) {
    const answer = await bucket.send({ method: "DELETE", key, query: { versionId: id } }, signal);
    if (answer.status >= 300) await bucket.send({ method: "DELETE", key }, signal);
  }
}

async function readNote(
  { bucket }: Tried,
  object: string,
  signal: AbortSignal,
): Promise<FoundNote | undefined> {
  const answer = await bucket.send(
    { method: "GET", key: object, headers: readHeaders(bucket) },
    signal,
  );
  if (answer.status === 404) return undefined;
  if (answer.status >= 300) throw failureOf(answer);
  const note = noteSchema.safeParse(parsed(answer.body));
  if (!note.success) return undefined;
  const md5 = createHash("md5").update(answer.body).digest("hex");
  return { note: note.data, etagsAreMd5: answer.headers["etag"] === `"${md5}"` };
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}
