import { ExhibitError } from "../evidence/errors.ts";
import type { Settings } from "./context.ts";
import type { Typed } from "./input.ts";

/** The store of `login` and `logout`, which may stand behind the command as well as behind `--store`. */
export function storeGiven(typed: Typed, settings: Settings): { readonly store?: string } {
  const argument = typed.args[0] as string | undefined;
  const flag = typed.options["store"] as string | undefined;
  if (argument !== undefined && flag !== undefined && argument !== flag) {
    throw new ExhibitError("usage.invalid", "Two stores are named; name one.", {
      hint: "Leave out --store.",
    });
  }
  const store = argument ?? settings.store;
  return store === undefined ? {} : { store };
}
