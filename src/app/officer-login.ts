import type { SignInOffer, SignInWay } from "../evidence/ports/officer-sign-in.ts";
import type { Deps } from "./deps.ts";

/** How officers may sign in at a server, and whether its key is known here. @throws ExhibitError `auth.server-key-changed`, `unavailable.store` */
export async function signInOffer(
  deps: Pick<Deps, "locate" | "officers">,
  request: { readonly store?: string },
  signal: AbortSignal,
): Promise<SignInOffer> {
  const { url } = await deps.locate(request.store);
  return deps.officers.offer(url, signal);
}

export interface OfficerLoginRequest {
  readonly store?: string;
  /** The key that was agreed on as the server's. */
  readonly serverKey: string;
  readonly way: SignInWay;
}

/**
 * Signs an officer in by the force's provider. Later commands need nothing but the store's name.
 *
 * @throws ExhibitError `auth.*`, `policy.*`, `unavailable.*`
 */
export async function loginOfficer(
  deps: Pick<Deps, "locate" | "officers">,
  request: OfficerLoginRequest,
  signal: AbortSignal,
): Promise<{ readonly url: string }> {
  const { url } = await deps.locate(request.store);
  await deps.officers.signIn(url, request.serverKey, request.way, signal);
  return { url };
}
