import {
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  type FileHandle,
} from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Upload } from "../../evidence/ports/store.ts";
import { keySchema } from "../../evidence/key.ts";
import { randomId } from "../../evidence/random-id.ts";
import { outwaitingScanners } from "../../evidence/held-files.ts";
import { flushFolder, makeFolder, writeDurably } from "./durable.ts";
import { errnoOf } from "./failures.ts";
import { uploadFolderName, uploadsFolder } from "./layout.ts";
import { releaseName } from "./placeholder.ts";

const documentSchema = z.strictObject({
  schema: z.literal("exhibit.upload/1"),
  id: z.string(),
  key: keySchema,
  sizeBytes: z.number().int().nonnegative(),
  partBytes: z.number().int().positive(),
  startedAt: z.iso.datetime(),
});
export type UploadDocument = z.infer<typeof documentSchema>;

/** The folder of an unfinished upload. */
export function folderOf(root: string, upload: Pick<Upload, "key" | "sizeBytes">): string {
  return path.join(uploadsFolder(root), uploadFolderName(upload.key, upload.sizeBytes));
}

/** The file in which an upload's bytes come together. */
export function contentOf(root: string, upload: Pick<Upload, "key" | "sizeBytes">): string {
  return path.join(folderOf(root, upload), "content");
}

/** The file that is locked while an upload is changed or published. */
export function lockOf(root: string, upload: Pick<Upload, "key" | "sizeBytes">): string {
  return path.join(folderOf(root, upload), "lock.sqlite");
}

/** The unfinished upload in a folder, or undefined where there is none (any more). */
export async function readUpload(folder: string): Promise<UploadDocument | undefined> {
  try {
    const text = await readFile(path.join(folder, "upload.json"), "utf8");
    return documentSchema.parse(JSON.parse(text));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Makes an upload's folder, whole and at once, or returns the one that another process has just made.
 * Its id is new each time, so that what is left of an aborted one is never taken for it.
 */
export async function createUpload(
  root: string,
  wanted: Omit<Upload, "id">,
): Promise<UploadDocument> {
  const uploads = uploadsFolder(root);
  await makeFolder(root, uploads);
  const fresh = path.join(uploads, randomId(".new-"));
  await mkdir(fresh);
  try {
    const document: UploadDocument = {
      schema: "exhibit.upload/1",
      id: randomId("u"),
      key: wanted.key,
      sizeBytes: wanted.sizeBytes,
      partBytes: wanted.partBytes,
      startedAt: new Date().toISOString(),
    };
    await writeDurably(path.join(fresh, "content"), new Uint8Array());
    await writeDurably(path.join(fresh, "parts.log"), new Uint8Array());
    await writeDurably(path.join(fresh, "lock.sqlite"), new Uint8Array());
    await writeDurably(
      path.join(fresh, "upload.json"),
      Buffer.from(`${JSON.stringify(document, null, 2)}\n`),
    );
    await flushFolder(fresh);
    await outwaitingScanners(() => rename(fresh, folderOf(root, wanted)));
    await flushFolder(uploads);
    return document;
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    const other = await readUpload(folderOf(root, wanted));
    if (other === undefined) throw error;
    return other;
  }
}

/** Removes an upload's folder: out of sight at once, then its bytes. What is not there is not an error. */
export async function removeUpload(root: string, upload: Upload): Promise<void> {
  const folder = folderOf(root, upload);
  if ((await readUpload(folder))?.id !== upload.id) return;
  const gone = path.join(uploadsFolder(root), randomId(".gone-"));
  await releaseName(root, folder);
  try {
    await outwaitingScanners(() => rename(folder, gone));
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  await rm(gone, { recursive: true, force: true });
  await flushFolder(uploadsFolder(root));
}

export interface UploadFiles {
  readonly content: FileHandle;
  readonly log: FileHandle;
}

/** How the content and the parts log are opened: to look, to look and forget parts, or to add parts. */
const modes = {
  read: { content: "r", log: "r" },
  prove: { content: "r", log: "a+" },
  write: { content: "r+", log: "a+" },
} as const;

/**
 * Works on the open files of exactly this upload, never on those of a later one of the same key and size: its id is
 * read before and after opening, and a folder's id never comes back.
 *
 * @throws ExhibitError `not-found.upload`
 */
export async function withUpload<T>(
  root: string,
  upload: Upload,
  purpose: keyof typeof modes,
  work: (files: UploadFiles) => Promise<T>,
): Promise<T> {
  const folder = folderOf(root, upload);
  await assertSame(folder, upload);
  const handles: FileHandle[] = [];
  try {
    const content = await open(path.join(folder, "content"), modes[purpose].content);
    handles.push(content);
    const log = await open(path.join(folder, "parts.log"), modes[purpose].log);
    handles.push(log);
    await assertSame(folder, upload);
    return await work({ content, log });
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw gone(error);
    throw error;
  } finally {
    for (const handle of handles) await handle.close();
  }
}

/** The folders of all unfinished uploads, in no order. */
export async function uploadFolders(root: string): Promise<string[]> {
  try {
    const names = await readdir(uploadsFolder(root));
    return names
      .filter((name) => /^[0-9a-f]{32}-[0-9]+$/.test(name))
      .map((name) => path.join(uploadsFolder(root), name));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

const leftOverMs = 24 * 60 * 60 * 1000;

/** Removes what a crash left half-made or half-removed a day or more ago. */
export async function sweepLeftOvers(root: string): Promise<void> {
  const uploads = uploadsFolder(root);
  for (const name of await readdir(uploads)) {
    if (!/^\.(?:new|gone|put)-/.test(name)) continue;
    const found = await stat(path.join(uploads, name)).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs < leftOverMs) continue;
    await releaseName(root, path.join(uploads, name));
    await rm(path.join(uploads, name), { recursive: true, force: true });
  }
}

async function assertSame(folder: string, upload: Upload): Promise<void> {
  const found = await readUpload(folder);
  if (found?.id !== upload.id || found.partBytes !== upload.partBytes) throw gone(undefined);
}

function gone(cause: unknown): ExhibitError {
  return new ExhibitError("not-found.upload", "The store does not know this upload (any more).", {
    hint: "It was finished, aborted, or it expired. Run the same upload command again.",
    cause,
  });
}
