import type { Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult } from "../ui/result.ts";

/** `exhibit store remove NAME`. */
export async function run({ terminal, machine }: Context, typed: Typed): Promise<undefined> {
  const store = await (await machine.stores()).remove(String(typed.args[0]));
  const json = wantsJson(typed);
  const document = { schema: "exhibit.store-removed/1", name: store.name, url: store.url };
  printResult(terminal, json, document, () => [`${store.name}  ${store.url}  removed`]);
  note(
    terminal,
    json,
    "Only the name is gone: what lies in the store, and your enrolment there, stay.",
  );
}
