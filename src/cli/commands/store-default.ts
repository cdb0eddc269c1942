import { ExhibitError } from "../../evidence/errors.ts";
import type { Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import type { Typed } from "../input.ts";
import { printResult } from "../ui/result.ts";

/** `exhibit store default [NAME]`. */
export async function run({ terminal, machine }: Context, typed: Typed): Promise<undefined> {
  const name = typed.args[0] as string | undefined;
  const book = await machine.stores();
  const store =
    name === undefined
      ? (await book.list()).find(({ isDefault }) => isDefault)
      : await book.setDefault(name);
  if (store === undefined) {
    throw new ExhibitError("not-found.store", "No default store is chosen.", {
      hint: "Choose one: exhibit store default NAME. exhibit store list shows them.",
    });
  }
  printResult(terminal, wantsJson(typed), { schema: "exhibit.store/1", ...store }, () => [
    `${store.name}  ${store.url}`,
  ]);
}
