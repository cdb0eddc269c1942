import { z } from "zod";
import { replaceFile, textOf } from "./atomic-file.ts";
import type { DataPlaces } from "./data-folder.ts";

const lastStartType = "exhibit.last-start/1";
const lastStartSchema = z.object({
  schema: z.literal(lastStartType),
  publicUrl: z.url(),
  organisation: z.string(),
});

/** What a server must be started with again, for its clients and links to find it. */
export type LastStart = Omit<z.infer<typeof lastStartSchema>, "schema">;

/** Writes down how the server was started. */
export async function keepLastStart(
  { lastStartFile }: DataPlaces,
  start: LastStart,
): Promise<void> {
  const document = { schema: lastStartType, ...start };
  await replaceFile(lastStartFile, `${JSON.stringify(document, null, 2)}\n`);
}

/** How a text of that file says that the server was started; undefined where it is none. */
export function readLastStart(text: string | undefined): LastStart | undefined {
  if (text === undefined) return undefined;
  try {
    const { publicUrl, organisation } = lastStartSchema.parse(JSON.parse(text));
    return { publicUrl, organisation };
  } catch {
    return undefined;
  }
}

/** How the server was started the last time, where that is known. */
export function lastStartIn({ lastStartFile }: DataPlaces): LastStart | undefined {
  return readLastStart(textOf(lastStartFile));
}
