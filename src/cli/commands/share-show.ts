import { showShare } from "../../app/share-show.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { printResult } from "../ui/result.ts";
import { shareFacts } from "../ui/share-facts.ts";

/** `exhibit share show SHARE`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const id = String(typed.args[0]);
  const { share } = await withClient(context, typed, (client, settings) =>
    showShare(client, { ...atStore(settings), share: id }, context.signal),
  );
  const document = { schema: "exhibit.share/1", share };
  printResult(context.terminal, wantsJson(typed), document, (theme) => shareFacts(share, theme));
}
