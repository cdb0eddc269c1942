import type { Settings } from "./context.ts";

/** The store of the settings as requests take it. */
export function atStore({ store }: Settings): { readonly store?: string } {
  return store === undefined ? {} : { store };
}
