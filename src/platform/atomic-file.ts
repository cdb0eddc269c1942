import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { FlushTogether } from "../evidence/ports/flush-together.ts";
import { outwaitingScanners } from "../evidence/held-files.ts";
import { flushNames, makePrivateFolder } from "./private-folder.ts";

/**
 * Replaces a file with `text`: written aside, flushed to disk, then renamed, so that a reader sees the old file or
 * the new one. Only this user can read it (0600); missing folders are made for this user alone (0700).
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  const folder = path.dirname(file);
  makePrivateFolder(folder);
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  const handle = await open(temporary, "wx", 0o600);
  try {
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await outwaitingScanners(() => rename(temporary, file));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  flushNames(folder);
}

/**
 * Replaces many files below `root`, as {@link replaceFile} does one: all are written aside and flushed together before the
 * first gets its name. Small ones: they are written one behind the other.
 */
export async function replaceFiles(
  root: string,
  files: readonly { readonly file: string; readonly text: string }[],
  flush: FlushTogether,
): Promise<void> {
  if (files.length === 0) return;
  const folders = [...new Set(files.map(({ file }) => path.dirname(file)))];
  const aside = `.${randomBytes(6).toString("hex")}.tmp`;
  const temporaries = files.map(({ file }) => file + aside);
  try {
    for (const folder of folders) makePrivateFolder(folder);
    for (const { file, text } of files) {
      writeFileSync(file + aside, text, { flag: "wx", mode: 0o600 });
    }
    await flush(root, { files: temporaries, folders });
    for (const { file } of files) await outwaitingScanners(() => rename(file + aside, file));
  } catch (error) {
    for (const temporary of temporaries) rmSync(temporary, { force: true });
    throw error;
  }
  await flush(root, { files: [], folders });
}

/** What is in a text file; undefined where there is none. */
export function textOf(file: string): string | undefined {
  try {
    // Most often there is none, and to be told so by an error costs ten times as much.
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
