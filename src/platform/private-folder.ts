import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";

/**
 * Makes a folder for this user alone (0700), with those above it that are missing, so that their names survive a power cut.
 * One that is there stays as it is. @throws what `mkdir` throws
 */
export function makePrivateFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path.resolve(folder); made.length >= first.length; made = path.dirname(made)) {
    flushNames(path.dirname(made));
  }
}

/** Makes the names in a folder durable, where it may be read. Windows cannot open a folder, and needs no such thing. */
export function flushNames(folder: string): void {
  if (process.platform === "win32") return;
  let handle: number;
  try {
    handle = openSync(folder, "r");
  } catch (error) {
    if (/^E(?:ACCES|PERM)$/.test((error as NodeJS.ErrnoException).code ?? "")) return;
    throw error;
  }
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
