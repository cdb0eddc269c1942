import { list } from "../../app/list.ts";
import { formatAddress } from "../../evidence/address.ts";
import type { ExhibitEntry } from "../../evidence/ports/register.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { printResult, table, toTheSecond } from "../ui/result.ts";

/** `exhibit list`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const caseRef = typed.options["case"] as string | undefined;
  const exhibits = await withClient(context, typed, async (client, settings) => {
    const request = { ...atStore(settings), ...(caseRef === undefined ? {} : { case: caseRef }) };
    const found: ExhibitEntry[] = [];
    for await (const entry of list(client, request, context.signal)) found.push(entry);
    return found;
  });
  const document = { schema: "exhibit.list/1", exhibits };
  printResult(context.terminal, wantsJson(typed), document, (theme) =>
    table(
      ["EXHIBIT", "STATE", "RESERVED", "ID"],
      exhibits.map((entry) => [
        formatAddress(entry),
        entry.state === "sealed" ? "complete" : "unfinished",
        toTheSecond(entry.reservedAt),
        entry.id,
      ]),
      { heading: context.terminal.outputIsTerminal && exhibits.length > 0, theme },
    ),
  );
  if (exhibits.length === 0 && context.terminal.outputIsTerminal && !wantsJson(typed)) {
    context.terminal.error.write("There are no exhibits that you may see.\n");
  }
}
