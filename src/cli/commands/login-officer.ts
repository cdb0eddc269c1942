import { loginWithKey } from "../../app/key-login.ts";
import { loginOfficer } from "../../app/officer-login.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { DeviceCode, SignInOffer } from "../../evidence/ports/officer-sign-in.ts";
import type { Client, Context } from "../context.ts";
import { wantsJson } from "../given.ts";
import type { Typed } from "../input.ts";
import { tellEnrolled } from "../login-kept.ts";
import { pageShower } from "../sign-in-page.ts";
import { ask } from "../ui/prompt.ts";
import { note } from "../ui/result.ts";

/** `exhibit login` at an exhibit server whose force has an identity provider. */
export async function loginByProvider(
  context: Context,
  typed: Typed,
  client: Client,
  at: { readonly store?: string },
  offer: SignInOffer,
): Promise<undefined> {
  const serverKey = await agreedKey(context, typed, offer);
  const way =
    typed.options["device"] === true
      ? ({ by: "device", showCode: codeShower(context, typed) } as const)
      : ({ by: "page", showPage: pageShower(context, typed, client) } as const);
  const { url } = await loginOfficer(client, { ...at, serverKey, way }, context.signal);
  await tellEnrolled(context, typed, client, url, "signed in");
}

/** `exhibit login` with a key that was made with `exhibit key create` and that an admin has enrolled: asks nobody. */
export async function loginByKey(
  context: Context,
  typed: Typed,
  client: Client,
  at: { readonly store?: string },
  offer: SignInOffer,
): Promise<undefined> {
  const serverKey = await agreedKey(context, typed, offer);
  const { url } = await loginWithKey(client, { ...at, serverKey }, context.signal);
  await tellEnrolled(context, typed, client, url, "enrolled");
}

/**
 * The server's key, which is pinned from now on. One that was pinned before, or that `--server-key` names, needs no word. Neither does
 * one that came over a connection whose certificate a public authority gave: it says as much about the name as a person could. Else
 * a person compares it.
 */
async function agreedKey(context: Context, typed: Typed, offer: SignInOffer): Promise<string> {
  const { serverKey, isPinned, isPublic } = offer;
  const given = typed.options["serverKey"] as string | undefined;
  if (given !== undefined && given !== serverKey) {
    throw new ExhibitError(
      "auth.server-key-changed",
      "The server has another key than the one given with --server-key.",
      { hint: "Send nothing. Compare the key with the server's administrator." },
    );
  }
  const json = wantsJson(typed);
  if (given !== undefined || isPinned) return serverKey;
  if (isPublic) {
    note(context.terminal, json, `The server's key, which is kept from now on: ${serverKey}`);
    return serverKey;
  }
  note(
    context.terminal,
    json,
    "This computer has not spoken to this server before, and no public authority vouches for its name.",
    `It says that its key is ${serverKey}`,
    "Your administrator can tell you whether that is right: exhibit serve shows the key at its start.",
  );
  await ask(
    {
      message: "Type yes if it is the same key:",
      flag: "--server-key",
      problem: (answer) =>
        answer.trim().toLowerCase() === "yes"
          ? undefined
          : "Ctrl-C ends this. Type yes only if you have compared the key.",
    },
    { ...context, json },
  );
  return serverKey;
}

function codeShower({ terminal }: Context, typed: Typed): (code: DeviceCode) => void {
  const json = wantsJson(typed);
  return ({ code, page, minutes }) => {
    if (json) terminal.error.write(`${JSON.stringify({ type: "sign-in-code", page, code })}\n`);
    note(
      terminal,
      json,
      `Within ${minutes} minutes, type the code ${code} on this page, on any device:`,
      "",
      page,
      "",
      "Type it only because you began this sign-in yourself.",
    );
  };
}
