import type { ConfiguredStore, Context, Machine } from "./context.ts";
import type { Typed } from "./input.ts";
import { themeFor } from "./ui/theme.ts";
import { visible } from "./ui/visible.ts";

/** Keeps a store that was logged in to, and that its keys lie in a plain file where that was asked for. */
export async function rememberStore(
  machine: Machine,
  typed: Typed,
  url: string,
): Promise<ConfiguredStore> {
  const book = await machine.stores();
  const store = await book.remember(url);
  if (isInsecure(typed)) await book.rememberInsecureStorage();
  return store;
}

/** What the store is called and where `what` ("The key") is kept, in words. */
export function whereKept(
  { terminal }: Context,
  typed: Typed,
  store: ConfiguredStore,
  what: string,
  place: string,
): string[] {
  const theme = themeFor(terminal.color);
  const isDefault = store.isDefault ? ", the default" : "";
  return [
    `  The store is called ${theme.strong(store.name)}${isDefault}. ${what} is in ${visible(place)}.`,
    ...(typed.options["keyFile"] === undefined
      ? []
      : ["  Give --key-file with every command, or set EXHIBIT_KEY_FILE."]),
    ...(isInsecure(typed)
      ? [
          `  ${what} lies in a plain file, as you asked: whoever can read it is you. Later commands look for it there.`,
        ]
      : []),
  ];
}

function isInsecure({ options }: Typed): boolean {
  return options["insecureStorage"] === true;
}
