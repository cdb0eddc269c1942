import { readFile, readdir } from "node:fs/promises";
import { z } from "zod";
import { ExhibitError } from "../evidence/errors.ts";
import { replaceFile } from "./atomic-file.ts";
import type { DataFolder, DataPlaces } from "./data-folder.ts";

const placeSchema = z.object({ schema: z.literal("exhibit.content-place/1"), url: z.string() });

/**
 * The bucket that a data folder's content was kept in so far; undefined where it is new, or keeps its content itself. `url` is
 * where it shall be now: a bucket, or undefined for the folder itself.
 *
 * @throws ExhibitError `usage.invalid` where that is the other of the two, which has nothing of what the database knows
 */
export async function contentPlaceOf(
  folder: DataFolder,
  url: string | undefined,
): Promise<string | undefined> {
  const kept = await placeOf(folder);
  if (kept !== undefined && url === undefined) {
    throw new ExhibitError("usage.invalid", `The content of this data folder is in ${kept}.`, {
      hint: `Start the server with --store '${kept}', or with another data folder.`,
    });
  }
  if (kept === undefined && url !== undefined && (await hasContent(folder))) {
    throw new ExhibitError("usage.invalid", "This data folder keeps its content itself.", {
      hint: "Start the server without --store, or with another data folder.",
    });
  }
  return kept;
}

/** Writes down that content is kept in this bucket from now on. */
export async function keepContentPlace(folder: DataFolder, url: string): Promise<void> {
  const document = { schema: "exhibit.content-place/1", url };
  await replaceFile(folder.contentPlaceFile, `${JSON.stringify(document, null, 2)}\n`);
}

/** The bucket that a data folder's content is kept in; undefined where it keeps its content itself. */
export async function placeOf({ contentPlaceFile }: DataPlaces): Promise<string | undefined> {
  const text = await readFile(contentPlaceFile, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? undefined : placeSchema.parse(JSON.parse(text)).url;
}

async function hasContent({ contentDir }: DataFolder): Promise<boolean> {
  return (await readdir(contentDir)).some((name) => !name.startsWith("."));
}
