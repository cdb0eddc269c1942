import { randomState } from "openid-client";
import { openCallback, type CallbackPlace } from "../../sign-in/callback.ts";
import { loginCommand } from "./kept-tokens.ts";
import type { Granted, Provider } from "./provider.ts";

/** Where the browser comes back to: as Entra ID has it for applications of this kind, with any port. */
export function callbackAt(url: string): CallbackPlace {
  return {
    who: "The sign-in service",
    again: loginCommand(url),
    registered: "http://localhost",
  };
}

/** Signs a person in on the provider's page in a browser of this machine. @throws ExhibitError `auth.*`, `unavailable.sign-in` */
export async function grantedOnPage(
  url: string,
  provider: Provider,
  showPage: (url: string) => void,
  waitMs: number | undefined,
  signal: AbortSignal,
): Promise<Granted> {
  const state = randomState();
  const callback = await openCallback(callbackAt(url), state, waitMs);
  try {
    const begun = await provider.begin(callback.redirectUri, state, signal);
    showPage(begun.url);
    return await provider.redeem(begun, await callback.answer(signal), signal);
  } finally {
    callback.close();
  }
}
