import { z } from "zod";
import { renewShare } from "../../app/share-renew.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import { parseOptions, type Typed } from "../input.ts";
import { handOverLines } from "../ui/hand-over-lines.ts";
import { note, printResult, warn } from "../ui/result.ts";
import { spin } from "../ui/spinner.ts";
import { themeFor } from "../ui/theme.ts";

const optionsSchema = z.object({ mail: z.boolean().optional() });

/** `exhibit share renew SHARE`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const { mail } = parseOptions(optionsSchema, typed);
  const renewed = await withClient(context, typed, (client, settings) => {
    const request = { ...atStore(settings), share: String(typed.args[0]), mail };
    return spin(terminal, json, "Making a new link", () => renewShare(client, request, signal));
  });
  const { link, warnings } = renewed;
  printResult(terminal, json, { schema: "exhibit.share-renewed/1", ...renewed }, () => [link]);
  for (const warning of warnings) if (!json) warn(terminal, warning);
  const lines = handOverLines(renewed, themeFor(terminal.color));
  note(terminal, json, ...lines, "The old link and code open nothing any more.");
}
