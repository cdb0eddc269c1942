import { revokeIdentity } from "../../app/identity-revoke.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult } from "../ui/result.ts";

/** `exhibit identity revoke IDENTITY`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const identity = String(typed.args[0]);
  const json = wantsJson(typed);
  await withClient(context, typed, (client, settings) =>
    revokeIdentity(client, { ...atStore(settings), identity }, context.signal),
  );
  const document = { schema: "exhibit.identity-revoked/1", identity };
  printResult(context.terminal, json, document, () => [`${identity}  revoked`]);
  note(
    context.terminal,
    json,
    "It is shut out from its next request on. What it sent stays, and so do the shares it made.",
    `To see those that are open: exhibit share list --of ${identity}`,
  );
}
