import type { Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult } from "../ui/result.ts";
import { visible } from "../ui/visible.ts";

/** `exhibit key trust --key KEY --whose WORDS`. */
export async function run({ terminal, machine }: Context, typed: Typed): Promise<undefined> {
  const thumbprint = String(typed.options["key"]);
  const whose = String(typed.options["whose"]);
  await (await machine.stores()).trust({ thumbprint, whose });
  const json = wantsJson(typed);
  const document = { schema: "exhibit.key-trusted/1", thumbprint, whose };
  printResult(terminal, json, document, () => [`${thumbprint}  ${visible(whose)}`]);
  note(terminal, json, "What it has signed counts on this computer from now on.");
}
