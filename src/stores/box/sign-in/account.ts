import { z } from "zod";
import { boxAddress } from "../../../evidence/box-address.ts";
import { ExhibitError } from "../../../evidence/errors.ts";
import type { Account, SignedIn, SignInPlace } from "../../../evidence/ports/sign-in.ts";
import { parsed, send } from "../../control-call.ts";
import { withRetryAfter } from "../../unreachable.ts";
import type { Tokens } from "../../sign-in/shared-token.ts";
import type { BoxMachine } from "./box-tokens.ts";
import { loginCommand } from "./kept-login.ts";
import { noSense, trouble } from "./refusals.ts";

const userSchema = z.object({ id: z.string().min(1), login: z.string().catch("") });

/** Asks Box whose the login is, and whom the store's address acts as. */
export async function signedIn(
  place: SignInPlace,
  tokens: Tokens,
  machine: Pick<BoxMachine, "network">,
  signal: AbortSignal,
): Promise<SignedIn> {
  const { asUser } = boxAddress(place.url);
  const account = await me(place, undefined, tokens, machine, signal);
  if (asUser === undefined) return { account, actsAs: undefined };
  return { account, actsAs: await me(place, asUser, tokens, machine, signal) };
}

async function me(
  place: SignInPlace,
  asUser: string | undefined,
  tokens: Tokens,
  { network }: Pick<BoxMachine, "network">,
  signal: AbortSignal,
): Promise<Account> {
  const { api } = boxAddress(place.url);
  // The person's name would come along, if it were not left out here.
  const url = `${api}/2.0/users/me?fields=id,login`;
  const ask = (token: string): ReturnType<typeof send> =>
    send(
      network.route(api),
      {
        url,
        method: "GET",
        headers: {
          authorization: `Bearer ${token}`,
          ...(asUser === undefined ? {} : { "as-user": asUser }),
        },
        body: undefined,
      },
      signal,
    );
  const token = await tokens.token(signal);
  let answer = await ask(token);
  if (answer.status === 401) answer = await ask(await tokens.token(signal, token));
  const { status, headers, text } = answer;
  const body = parsed(text, headers["content-type"]);
  if (status === 200) {
    const user = userSchema.safeParse(body);
    if (user.success) return { id: user.data.id, login: user.data.login };
    throw noSense({ status, url });
  }
  if (status === 401) {
    throw new ExhibitError("auth.token-invalid", "Box refuses the login of this computer.", {
      hint: `Log in again: ${loginCommand(place)}`,
    });
  }
  if (asUser !== undefined && (status === 403 || status === 404)) {
    throw new ExhibitError(
      "policy.not-permitted",
      `This login may not act as the user ${asUser}, whom the store's address names.`,
      {
        hint: "The application needs the advanced feature “perform actions as users”, and the account must be an admin or the application's own. Check the id.",
      },
    );
  }
  if (status === 403) {
    throw new ExhibitError("policy.not-permitted", "Box does not let this login see itself.", {
      hint: "Check the application's scopes in Box's developer console.",
    });
  }
  throw withRetryAfter(trouble({ status, headers, body, url }), headers);
}
