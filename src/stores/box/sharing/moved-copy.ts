import { z } from "zod";
import { bodyOf } from "../api.ts";
import { fileSchema, itemFields } from "../items.ts";
import type { Calls } from "./calls.ts";
import type { Intent, MadeCopy } from "./documents.ts";

const madeSchema = fileSchema.extend({ created_by: z.object({ id: z.string() }).nullish() });

/**
 * Whether a copy that does not lie in its share's folder any more is somewhere else, and still what was made: `ours` by its name, size, SHA-1
 * and maker, `changed` where somebody made something of it. What a share's document names is not believed without that: it lies where others
 * can write. Gone where Box shows this account no such file, or only in the trash.
 */
export async function movedCopy(
  calls: Calls,
  { createdBy, copies }: Pick<Intent, "createdBy" | "copies">,
  copy: MadeCopy,
  signal: AbortSignal,
): Promise<"gone" | "ours" | "changed"> {
  const answer = await calls.ask(
    {
      method: "GET",
      to: `/2.0/files/${copy.id}`,
      query: { fields: `${itemFields},created_by` },
    },
    signal,
  );
  if (answer.status === 404) return "gone";
  const file = bodyOf(madeSchema, answer);
  if (file.item_status !== undefined && file.item_status !== "active") return "gone";
  const isOriginal = copies.some(({ original }) => original === file.id);
  const isOurs =
    !isOriginal &&
    file.name === copy.name &&
    file.size === copy.sizeBytes &&
    file.sha1 === copy.sha1 &&
    file.created_by?.id === createdBy;
  return isOurs ? "ours" : "changed";
}
