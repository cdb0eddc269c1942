import { isBoxAddress } from "../../evidence/box-address.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Context } from "../context.ts";
import { withClient } from "../given.ts";
import { flagOf, type Typed } from "../input.ts";
import { storeGiven } from "../store-given.ts";

/** Options that mean something at one kind of store only. */
const boxOptions = ["clientId", "secretStdin", "boxJwt", "boxCcg", "boxUser"] as const;
const serverOptions = ["inviteStdin"] as const;

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
      const { loginAtServer } = await import("./login-server.ts");
      await loginAtServer(context, typed, client, at);
    }
  });
}

function refuse({ options }: Typed, names: readonly string[], where: string): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given === undefined) return;
  throw new ExhibitError("usage.invalid", `${flagOf(given)} is for ${where} only.`, {
    hint: "Leave it out, or name another store.",
  });
}
