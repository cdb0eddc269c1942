import { z } from "zod";
import { scripts, shells, switchedOnBy } from "../completion/scripts.ts";
import type { Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult } from "../ui/result.ts";

const shellSchema = z.enum(shells);

/** `exhibit completion SHELL`. */
export function run({ terminal }: Context, typed: Typed): Promise<undefined> {
  const json = wantsJson(typed);
  const shell = shellSchema.parse(typed.args[0]);
  const script = scripts[shell];
  printResult(terminal, json, { schema: "exhibit.completion/1", shell, script }, () =>
    script.trimEnd().split("\n"),
  );
  // Only for a person who looks at it: in a file or in `source <(…)` nobody needs it.
  if (terminal.outputIsTerminal) note(terminal, json, `To switch it on: ${switchedOnBy[shell]}`);
  return Promise.resolve(undefined);
}
