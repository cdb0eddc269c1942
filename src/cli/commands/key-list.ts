import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult, table, toTheSecond } from "../ui/result.ts";
import { visible } from "../ui/visible.ts";

/** `exhibit key list`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal } = context;
  const json = wantsJson(typed);
  const keys = await withClient(context, typed, (client) => client.pins());
  printResult(terminal, json, { schema: "exhibit.keys/1", keys }, (theme) =>
    table(
      ["KEY", "WHOSE"],
      keys.map(({ thumbprint, whose, until }) => [
        thumbprint,
        until === undefined ? visible(whose) : `${visible(whose)}, until ${toTheSecond(until)}`,
      ]),
      { heading: terminal.outputIsTerminal && keys.length > 0, theme },
    ),
  );
  if (!keys.some(({ whose }) => whose === "this machine")) {
    note(
      terminal,
      json,
      "This machine makes its own key when it first opens a folder, a bucket or Box.",
    );
  }
}
