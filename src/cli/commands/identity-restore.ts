import { restoreIdentity } from "../../app/identity-restore.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { printResult } from "../ui/result.ts";

/** `exhibit identity restore IDENTITY`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const wanted = String(typed.args[0]);
  const identity = await withClient(context, typed, (client, settings) =>
    restoreIdentity(client, { ...atStore(settings), identity: wanted }, context.signal),
  );
  const document = { schema: "exhibit.identity/1", identity };
  printResult(context.terminal, wantsJson(typed), document, () => [`${identity.id}  active`]);
}
