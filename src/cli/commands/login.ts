import { hasKey } from "../../app/key-login.ts";
import { signInOffer } from "../../app/officer-login.ts";
import { isBoxAddress } from "../../evidence/box-address.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Client, Context } from "../context.ts";
import { wantsJson, withClient } from "../given.ts";
import { flagOf, type Typed } from "../input.ts";
import { storeGiven } from "../store-given.ts";
import { spin } from "../ui/spinner.ts";

/** Options that mean something at one kind of store only. */
const boxOptions = ["clientId", "secretStdin", "boxJwt", "boxCcg", "boxUser"] as const;
const serverOptions = ["invite", "inviteStdin", "device", "serverKey"] as const;

/** `exhibit login [STORE|URL]`. */
export async function run(context: Context, typed: Typed): Promise<undefined> {
  await withClient(context, typed, async (client, settings) => {
    const at = storeGiven(typed, settings);
    // A wrong name of a store is told before anyone is asked for a secret.
    const { url } = await client.locate(at.store);
    if (isBoxAddress(url)) {
      refuse(typed, serverOptions, "an exhibit server");
      const { loginAtBox } = await import("./login-box.ts");
      await loginAtBox(context, typed, client, settings, at);
    } else {
      refuse(typed, boxOptions, "a store in Box");
      await loginAtServer(context, typed, client, at);
    }
  });
}

/** By an invitation where one is given or asked for, else as the server's own statement says. */
async function loginAtServer(
  context: Context,
  typed: Typed,
  client: Client,
  at: { readonly store?: string },
): Promise<void> {
  const { terminal, signal } = context;
  const { invite, inviteStdin } = typed.options;
  if (invite !== true && inviteStdin !== true) {
    const offer = await spin(terminal, wantsJson(typed), "Asking the server", () =>
      signInOffer(client, at, signal),
    );
    if (await hasKey(client)) {
      const { loginByKey } = await import("./login-officer.ts");
      return loginByKey(context, typed, client, at, offer);
    }
    if (offer.provider !== undefined) {
      const { loginByProvider } = await import("./login-officer.ts");
      return loginByProvider(context, typed, client, at, offer);
    }
  }
  refuse(typed, ["device"], "a server whose force has a sign-in service");
  const { loginByInvitation } = await import("./login-server.ts");
  await loginByInvitation(context, typed, client, at);
}

function refuse({ options }: Typed, names: readonly string[], where: string): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given === undefined) return;
  throw new ExhibitError("usage.invalid", `${flagOf(given)} is for ${where} only.`, {
    hint: "Leave it out, or name another store.",
  });
}
