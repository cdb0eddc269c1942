import type { Proving, SignedIn, SignInPlace } from "../evidence/ports/sign-in.ts";
import type { Deps } from "./deps.ts";

export interface SignInRequest {
  /** A configured store's name or its URL; left out, the default store. */
  readonly store?: string;
  readonly proving: Proving;
}

/**
 * Signs this machine in at a store that has a sign-in page of its own. Later commands need nothing but the store's name.
 *
 * @throws ExhibitError `auth.*`, `usage.invalid`, `unavailable.*`
 */
export async function signIn(
  deps: Pick<Deps, "locate" | "signIn">,
  request: SignInRequest,
  signal: AbortSignal,
): Promise<SignInPlace> {
  const place = await deps.locate(request.store);
  await deps.signIn.signIn(place, request.proving, signal);
  return place;
}

/** As whom a store that one signs in to is spoken to. @throws ExhibitError `auth.*`, `policy.not-permitted`, `unavailable.*` */
export async function signedIn(
  deps: Pick<Deps, "locate" | "signIn">,
  request: { readonly store?: string },
  signal: AbortSignal,
): Promise<SignedIn> {
  return deps.signIn.signedIn(await deps.locate(request.store), signal);
}
