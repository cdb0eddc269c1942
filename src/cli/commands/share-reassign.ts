import { reassignShare } from "../../app/share-reassign.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult } from "../ui/result.ts";

/** `exhibit share reassign SHARE --to IDENTITY`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const json = wantsJson(typed);
  const wanted = { share: String(typed.args[0]), to: String(typed.options["to"]) };
  const share = await withClient(context, typed, (client, settings) =>
    reassignShare(client, { ...atStore(settings), ...wanted }, context.signal),
  );
  printResult(context.terminal, json, { schema: "exhibit.share-reassigned/1", share }, () => [
    `${share.id}  ${wanted.to}`,
  ]);
  note(context.terminal, json, "Its link and code are the same as before.");
}
