import { whoami, type WhoamiResult } from "../app/whoami.ts";
import { ExhibitError } from "../evidence/errors.ts";
import type { Client, ConfiguredStore, Context, Machine } from "./context.ts";
import { wantsJson } from "./given.ts";
import type { Typed } from "./input.ts";
import { note, printResult, warn } from "./ui/result.ts";
import { spin } from "./ui/spinner.ts";
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

/** Keeps a server that this machine is "enrolled" or "signed in" at now, and tells as whom. */
export async function tellEnrolled(
  context: Context,
  typed: Typed,
  client: Client,
  url: string,
  how: "enrolled" | "signed in",
): Promise<void> {
  const { terminal, machine } = context;
  const json = wantsJson(typed);
  // What was done cannot be done again: where to is kept before anything else can fail.
  const store = await rememberStore(machine, typed, url);
  const identity = await spin(terminal, json, "Asking the server who it is", () =>
    identityAt(url, client, context, how),
  );
  const place = client.secretsPlace;
  const document = {
    schema: "exhibit.login/1",
    store: store.name,
    url: store.url,
    ...(identity === undefined ? {} : { identity }),
    secretsPlace: place,
  };
  const who = identity === undefined ? [] : [identity.role, visible(identity.organisation)];
  printResult(terminal, json, document, () => [[store.name, store.url, ...who].join("  ")]);
  const theme = themeFor(terminal.color);
  note(
    terminal,
    json,
    `${theme.good("✔")} This machine is ${how}${who.length === 0 ? "" : ` as ${who.join(" of ")}`}.`,
    ...whereKept(context, typed, store, how === "enrolled" ? "The key" : "The sign-in", place),
  );
}

/** As whom this machine is enrolled now; undefined, with a warning, where the server does not say. */
async function identityAt(
  url: string,
  client: Client,
  { terminal, signal }: Context,
  how: string,
): Promise<WhoamiResult["identity"]> {
  try {
    return (await whoami(client, { store: url }, signal)).identity;
  } catch (error) {
    if (!(error instanceof ExhibitError)) throw error;
    warn(terminal, `This machine is ${how}, but as whom is not known yet: ${error.message}`);
    return undefined;
  }
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
