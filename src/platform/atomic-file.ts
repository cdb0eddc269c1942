import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";
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
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  flushNames(folder);
}
