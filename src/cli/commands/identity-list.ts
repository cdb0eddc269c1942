import { listIdentities } from "../../app/identity-list.ts";
import { formatSize } from "../../evidence/quantities.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { printResult, table, toTheSecond } from "../ui/result.ts";

/** `exhibit identity list`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal } = context;
  const { identities } = await withClient(context, typed, (client, settings) =>
    listIdentities(client, atStore(settings), context.signal),
  );
  const document = { schema: "exhibit.identities/1", identities };
  printResult(terminal, wantsJson(typed), document, (theme) =>
    table(
      ["IDENTITY", "STATE", "ROLE", "ENROLLED", "SENT", "ORGANISATION"],
      identities.map((identity) => [
        identity.id,
        identity.revokedAt === undefined ? "active" : "revoked",
        identity.role,
        toTheSecond(identity.enrolledAt),
        formatSize(identity.usedBytes),
        identity.organisation,
      ]),
      { heading: terminal.outputIsTerminal, theme },
    ),
  );
}
