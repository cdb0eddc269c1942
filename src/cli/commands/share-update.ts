import { z } from "zod";
import { updateShare } from "../../app/share-update.ts";
import { parseDuration } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import { parseOptions, type Typed } from "../input.ts";
import { note, printResult, toTheSecond, warn } from "../ui/result.ts";

const optionsSchema = z.object({ expires: z.string() });

/** `exhibit share update SHARE --expires DURATION`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const { expires } = parseOptions(optionsSchema, typed);
  const expiresInSeconds = parseDuration(expires, "--expires");
  const updated = await withClient(context, typed, (client, settings) =>
    updateShare(
      client,
      { ...atStore(settings), share: String(typed.args[0]), expiresInSeconds },
      signal,
    ),
  );
  const { share, warnings } = updated;
  printResult(terminal, json, { schema: "exhibit.share-updated/1", ...updated }, () => [
    `${share.id}  until ${toTheSecond(share.expiresAt)}`,
  ]);
  for (const warning of warnings) if (!json) warn(terminal, warning);
  note(terminal, json, "Its link and code are the same as before.");
}
