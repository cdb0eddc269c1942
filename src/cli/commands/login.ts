import { login } from "../../app/login.ts";
import { parseInvitationCode } from "../../evidence/invitation-code.ts";
import type { Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import { readGiven, type Typed } from "../input.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { ask } from "../ui/prompt.ts";
import { note, printResult } from "../ui/result.ts";
import { spin } from "../ui/spinner.ts";
import { themeFor } from "../ui/theme.ts";
import { visible } from "../ui/visible.ts";
import { storeGiven } from "../store-given.ts";

/** `exhibit login [STORE|URL]`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  const { terminal, signal, machine } = context;
  const json = wantsJson(typed);
  const insecure = typed.options["insecureStorage"] === true;
  const { result, place, store } = await withClient(context, typed, async (client, settings) => {
    const at = storeGiven(typed, settings);
    // A wrong name of a store is told before anyone is asked for a secret.
    await client.locate(at.store);
    const invitation = await readInvitation(context, typed);
    const result = await spin(terminal, json, "Enrolling this machine", () =>
      login(client, { ...at, invitation }, signal),
    );
    const book = await machine.stores();
    const store = await book.remember(result.url);
    if (insecure) await book.rememberInsecureStorage();
    return { result, place: client.secretsPlace, store };
  });
  const { identity, url } = result;
  const document = {
    schema: "exhibit.login/1",
    store: store.name,
    url,
    identity,
    secretsPlace: place,
  };
  printResult(terminal, json, document, () => [
    `${store.name}  ${url}  ${identity.role}  ${visible(identity.organisation)}`,
  ]);
  const theme = themeFor(terminal.color);
  const isDefault = store.isDefault ? ", the default" : "";
  note(
    terminal,
    json,
    `${theme.good("✔")} This machine is enrolled as ${identity.role} of ${visible(identity.organisation)}.`,
    `  The store is called ${theme.strong(store.name)}${isDefault}. The key is in ${visible(place)}.`,
    ...(typed.options["keyFile"] === undefined
      ? []
      : ["  Give --key-file with every command, or set EXHIBIT_KEY_FILE."]),
    ...(insecure
      ? [
          "  The key lies in a plain file, as you asked: whoever can read it is you. Later commands look for it there.",
        ]
      : []),
  );
}

async function readInvitation(context: Context, typed: Typed): Promise<string> {
  if (typed.options["inviteStdin"] === true) {
    const code = (await readGiven("-", context.terminal)).trim();
    if (code !== "") return code;
    throw new ExhibitError("usage.missing", "No invitation came on stdin.", {
      hint: "Pipe the code in: exhibit login URL --invite-stdin < invitation.txt",
    });
  }
  return ask(
    {
      message: "Invitation code:",
      flag: "--invite-stdin",
      secret: true,
      problem: (answer) => {
        try {
          parseInvitationCode(answer);
          return undefined;
        } catch (error) {
          return error instanceof ExhibitError
            ? `${error.message} ${error.hint ?? ""}`.trim()
            : String(error);
        }
      },
    },
    { ...context, json: wantsJson(typed) },
  );
}
