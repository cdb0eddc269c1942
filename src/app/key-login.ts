import type { PublicJwk } from "../evidence/seal.ts";
import type { Deps } from "./deps.ts";

/** Makes the key of an unattended identity, or finds the one made before; an admin enrols what is returned. */
export async function createKey(deps: Pick<Deps, "enrolment">): Promise<PublicJwk> {
  return deps.enrolment.prepareKey();
}

/** Whether this machine's keys hold one that was made to be enrolled by an admin. */
export async function hasKey(deps: Pick<Deps, "enrolment">): Promise<boolean> {
  return deps.enrolment.hasPreparedKey();
}

/**
 * Signs in with that key, asking nobody.
 *
 * @throws ExhibitError `auth.identity-unknown` where it is not enrolled, `auth.server-key-changed`, `unavailable.store`
 */
export async function loginWithKey(
  deps: Pick<Deps, "locate" | "enrolment">,
  request: { readonly store?: string; readonly serverKey: string },
  signal: AbortSignal,
): Promise<{ readonly url: string }> {
  const { url } = await deps.locate(request.store);
  await deps.enrolment.useKey(url, request.serverKey, signal);
  return { url };
}
