import { listInvitations } from "../../app/invite-list.ts";
import { formatSize } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { printResult, table, toTheSecond } from "../ui/result.ts";

/** `exhibit invite list`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal } = context;
  const { invitations } = await withClient(context, typed, (client, settings) =>
    listInvitations(client, atStore(settings), context.signal),
  );
  const document = { schema: "exhibit.invitations/1", invitations };
  printResult(terminal, wantsJson(typed), document, (theme) =>
    table(
      ["INVITATION", "STATE", "ROLE", "UNTIL", "QUOTA", "ORGANISATION"],
      invitations.map((invitation) => [
        invitation.id,
        invitation.state,
        invitation.role,
        toTheSecond(invitation.expiresAt),
        invitation.quotaBytes === undefined ? "-" : formatSize(invitation.quotaBytes),
        invitation.organisation,
      ]),
      { heading: terminal.outputIsTerminal, theme },
    ),
  );
}
