import type { Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult, table } from "../ui/result.ts";

/** `exhibit store list`. */
export async function run({ terminal, machine }: Context, typed: Typed): Promise<undefined> {
  const json = wantsJson(typed);
  const stores = await (await machine.stores()).list();
  printResult(terminal, json, { schema: "exhibit.stores/1", stores }, (theme) =>
    table(
      ["NAME", "URL", ""],
      stores.map(({ name, url, isDefault }) => [name, url, isDefault ? "default" : ""]),
      { heading: terminal.outputIsTerminal && stores.length > 0, theme },
    ),
  );
  if (stores.length === 0) {
    note(terminal, json, "No store is configured yet. Add one: exhibit store add NAME URL");
  }
}
