import { listShares } from "../../app/share-list.ts";
import { formatAddress } from "../../evidence/address.ts";
import type { Share } from "../../evidence/share.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult, table, toTheSecond } from "../ui/result.ts";

/** What is in a share now; of one that was revoked, what was. */
function shown({ state, exhibits }: Share): Share["exhibits"] {
  return state === "revoked"
    ? exhibits
    : exhibits.filter(({ revokedAt }) => revokedAt === undefined);
}

/** `exhibit share list`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal } = context;
  const json = wantsJson(typed);
  const of = typed.options["of"] as string | undefined;
  const { shares, notes } = await withClient(context, typed, (client, settings) =>
    listShares(
      client,
      { ...atStore(settings), ...(of === undefined ? {} : { of }) },
      context.signal,
    ),
  );
  printResult(terminal, json, { schema: "exhibit.shares/1", shares, notes }, (theme) =>
    table(
      ["SHARE", "STATE", "ACCESS", "UNTIL", "RECIPIENT", "EXHIBITS", "MAIL"],
      shares.map((share) => [
        share.id,
        share.state,
        share.access,
        toTheSecond(share.expiresAt),
        share.recipient.name,
        shown(share).map(formatAddress).join(", "),
        share.delivery?.state ?? "-",
      ]),
      { heading: terminal.outputIsTerminal && shares.length > 0, theme },
    ),
  );
  note(terminal, json, ...notes);
  if (shares.length === 0 && terminal.outputIsTerminal) note(terminal, json, "Nothing is shared.");
}
