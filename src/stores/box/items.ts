import { z } from "zod";
import type { Kept } from "../../evidence/kept.ts";
import type { BoxAnswer } from "./api.ts";

/** Asked for of every file and folder; Box gives more. */
export const itemFields = "id,type,name,size,sha1,file_version,parent,item_status";

/** A file as Box tells of it. */
export const fileSchema = z.object({
  type: z.literal("file"),
  id: z.string(),
  name: z.string(),
  size: z.number().int().nonnegative(),
  sha1: z.string().regex(/^[0-9a-f]{40}$/),
  file_version: z.object({ id: z.string() }),
  parent: z.object({ id: z.string() }).nullish(),
  item_status: z.string().optional(),
});
export type BoxFile = z.infer<typeof fileSchema>;

export const folderSchema = z.object({
  type: z.literal("folder"),
  id: z.string(),
  name: z.string(),
});

/** What Box answers when a file was stored. */
export const entriesSchema = z.object({ entries: z.tuple([fileSchema]) });

const itemSchema = z.union([
  fileSchema,
  folderSchema,
  z.object({ type: z.string(), id: z.string(), name: z.string() }),
]);
export type BoxItem = z.infer<typeof itemSchema>;

export const itemsSchema = z.object({
  entries: z.array(itemSchema),
  next_marker: z.string().nullish(),
});

export function isFile(item: BoxItem | undefined): item is BoxFile {
  return item?.type === "file";
}

/**
 * What Box keeps of a file, whose name nothing else in its folder can have. Its ETag counts changes of any kind, also of a link, and is
 * no digest.
 */
export function keptOf({ file_version, sha1 }: BoxFile): Kept {
  return { version: file_version.id, checksums: { sha1 }, noOverwrite: "unique-name" };
}

const holderSchema = z.object({ id: z.string(), name: z.string().optional(), type: z.string() });
const conflictSchema = z.object({
  context_info: z.object({ conflicts: z.union([holderSchema, z.array(holderSchema)]) }),
});

/** Who has the name that was refused: one object for files, a list for folders (Box: item_name_in_use). */
export function holderIn({ body }: BoxAnswer): z.infer<typeof holderSchema> | undefined {
  const found = conflictSchema.safeParse(body).data?.context_info.conflicts;
  return Array.isArray(found) ? found[0] : found;
}
