import { constants } from "node:fs";
import { copyFile, link, lstat, mkdir, open, unlink, utimes } from "node:fs/promises";
import path from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import type { SourceEntry } from "../../evidence/ports/source.ts";
import { noHardLinks } from "../../evidence/no-hard-links.ts";
import { pathOf } from "../file-names.ts";
import { sourceStat } from "../source-file.ts";

/** Names that are tried: `call.wav`, `call (2).wav` and on. */
const mostNames = 1000;

/**
 * Moves a file to `folder/below`, or, where that is taken, to the first name behind it that is not, and never over anything. It is there
 * under its new name before it is gone under its old one; between file systems it is copied and flushed first.
 *
 * @throws ExhibitError `integrity.source-changed`, `unavailable.source`
 */
export async function moveFile(
  { location, version }: SourceEntry,
  { folder, path: below }: { readonly folder: string; readonly path: string },
): Promise<string> {
  const from = pathOf(location);
  const stat = await lstat(from, { bigint: true }).catch(() => undefined);
  if (stat === undefined || sourceStat(stat).version !== version) {
    throw new ExhibitError("integrity.source-changed", `${below} was changed, and is left there.`);
  }
  const wanted = path.join(folder, ...below.split("/"));
  try {
    await mkdir(path.dirname(wanted), { recursive: true });
    const { dir, name, ext } = path.parse(wanted);
    for (let number = 1; number <= mostNames; number += 1) {
      const place = number === 1 ? wanted : path.join(dir, `${name} (${number})${ext}`);
      if (!(await placed(from, place, version))) continue;
      await unlink(from);
      return place;
    }
    throw new Error("all names are taken");
  } catch (cause) {
    throw new ExhibitError(
      "unavailable.source",
      `${below} was taken, but cannot be moved to ${folder} (${(cause as Error).message}).`,
      {
        hint: "It stays where it is, and is not sent again. Check the folder, and move it by hand.",
        cause,
      },
    );
  }
}

/** @returns false where the name is taken */
async function placed(from: Buffer, place: string, version: string): Promise<boolean> {
  try {
    await link(from, place);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (!noHardLinks.has(code ?? "")) throw error;
  }
  return copied(from, place, version);
}

async function copied(from: Buffer, place: string, version: string): Promise<boolean> {
  try {
    await copyFile(from, place, constants.COPYFILE_EXCL);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
  const { atime, mtime } = await lstat(from);
  await utimes(place, atime, mtime);
  const handle = await open(place, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  // What was written while it was copied must not go with the original.
  if (sourceStat(await lstat(from, { bigint: true })).version !== version) {
    await unlink(place);
    throw new Error("it was changed while it was copied");
  }
  return true;
}
