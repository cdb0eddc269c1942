import type { Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import type { Typed } from "../input.ts";
import { note, printResult } from "../ui/result.ts";

/** `exhibit store add NAME URL`. */
export async function run({ terminal, machine }: Context, typed: Typed): Promise<undefined> {
  const [name, url] = typed.args.map(String);
  const book = await machine.stores();
  const store = await book.add(name ?? "", url ?? "", typed.options["default"] === true);
  const json = wantsJson(typed);
  printResult(terminal, json, { schema: "exhibit.store/1", ...store }, () => [
    `${store.name}  ${store.url}`,
  ]);
  note(
    terminal,
    json,
    `${store.isDefault ? "It is the default store." : `Use it with --store ${store.name}.`}${store.url.startsWith("file:") ? "" : ` Next: exhibit login ${store.name}`}`,
  );
}
