import type { Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import type { Typed } from "../input.ts";
import { serviceArgv } from "../service-argv.ts";
import { note, printResult } from "../ui/result.ts";
import { visible } from "../ui/visible.ts";

const name = "exhibit-resume";

/** `exhibit resume --at-startup [--remove]`. */
export async function run({ terminal, machine }: Context, typed: Typed): Promise<undefined> {
  const json = wantsJson(typed);
  const services = await machine.services();
  const schema = "exhibit.service/1";
  if (typed.options["remove"] === true) {
    const file = await services.remove(name);
    const outcome = file === undefined ? "none" : "removed";
    printResult(terminal, json, { schema, name, outcome, file }, () =>
      file === undefined ? [] : [visible(file)],
    );
    note(
      terminal,
      json,
      file === undefined
        ? "There was nothing to remove: uploads do not go on by themselves here."
        : "Removed: uploads do not go on by themselves any more.",
    );
    return;
  }
  const { file, isNew, steps } = await services.install({
    name,
    description: "exhibit: goes on with uploads that were broken off",
    argv: serviceArgv(["resume"], typed, ["atStartup", "remove", "progress", "json"]),
    kind: "ends",
  });
  const outcome = isNew ? "installed" : "unchanged";
  printResult(terminal, json, { schema, name, outcome, file, steps }, () => [visible(file)]);
  note(
    terminal,
    json,
    isNew
      ? "Installed: uploads that were broken off go on when this computer starts."
      : "It was there already, just so.",
    ...steps,
    "Take it away again: exhibit resume --at-startup --remove",
  );
}
