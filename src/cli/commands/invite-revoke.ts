import { revokeInvitation } from "../../app/invite-revoke.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { printResult } from "../ui/result.ts";

/** `exhibit invite revoke INVITATION`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const invitation = String(typed.args[0]);
  await withClient(context, typed, (client, settings) =>
    revokeInvitation(client, { ...atStore(settings), invitation }, context.signal),
  );
  const document = { schema: "exhibit.invitation-revoked/1", invitation };
  printResult(context.terminal, wantsJson(typed), document, () => [`${invitation}  revoked`]);
}
