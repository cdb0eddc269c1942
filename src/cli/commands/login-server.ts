import { login } from "../../app/login.ts";
import { whoami } from "../../app/whoami.ts";
import { parseInvitationCode } from "../../evidence/invitation-code.ts";
import type { Identity } from "../../evidence/identity.ts";
import type { Client, Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import { readGiven, type Typed } from "../input.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { rememberStore, whereKept } from "../login-kept.ts";
import { ask } from "../ui/prompt.ts";
import { note, printResult, warn } from "../ui/result.ts";
import { spin } from "../ui/spinner.ts";
import { themeFor } from "../ui/theme.ts";
import { visible } from "../ui/visible.ts";

/** `exhibit login` at an exhibit server: enrols this machine with an invitation. */
export async function loginAtServer(
  context: Context,
  typed: Typed,
  client: Client,
  at: { readonly store?: string },
): Promise<undefined> {
  const { terminal, signal, machine } = context;
  const json = wantsJson(typed);
  const invitation = await readInvitation(context, typed);
  const { url } = await spin(terminal, json, "Enrolling this machine", () =>
    login(client, { ...at, invitation }, signal),
  );
  // The invitation is spent: where to is kept before anything else can fail.
  const store = await rememberStore(machine, typed, url);
  const identity = await spin(terminal, json, "Asking the server who it is", () =>
    identityAt(url, client, context),
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
    `${theme.good("✔")} This machine is enrolled${who.length === 0 ? "" : ` as ${who.join(" of ")}`}.`,
    ...whereKept(context, typed, store, "The key", place),
  );
}

/** As whom this machine is enrolled now; undefined, with a warning, where the server does not say. */
async function identityAt(
  url: string,
  client: Client,
  { terminal, signal }: Context,
): Promise<Identity | undefined> {
  try {
    return (await whoami(client, { store: url }, signal)).identity;
  } catch (error) {
    if (!(error instanceof ExhibitError)) throw error;
    warn(terminal, `This machine is enrolled, but as whom is not known yet: ${error.message}`);
    return undefined;
  }
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
