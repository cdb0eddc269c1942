import { ownCases } from "../../app/inbox.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { printResult, table } from "../ui/result.ts";

/** `exhibit case list`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal } = context;
  const cases = await withClient(context, typed, (client, settings) =>
    ownCases(client, atStore(settings), signal),
  );
  printResult(terminal, wantsJson(typed), { schema: "exhibit.case-list/1", cases }, (theme) =>
    table(
      ["CASE", "WHY"],
      cases.map((one) => [one.case, one.followed ? "followed" : "sent or shared something"]),
      { heading: terminal.outputIsTerminal && cases.length > 0, theme },
    ),
  );
}
