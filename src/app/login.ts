import type { Deps } from "./deps.ts";

export interface LoginRequest {
  /** A configured store's name or a server's URL; left out, the default store. */
  readonly store?: string;
  /** The invitation's code as it was pasted: a secret. */
  readonly invitation: string;
}

export interface LoginResult {
  readonly url: string;
}

/**
 * Enrols this machine at a server with a one-time invitation; from then on its key is its sign-in.
 *
 * @throws ExhibitError `auth.invitation-*`, `auth.server-key-changed`, `auth.clock-wrong`, `auth.no-keychain`
 */
export async function login(
  deps: Pick<Deps, "locate" | "enrolment">,
  request: LoginRequest,
  signal: AbortSignal,
): Promise<LoginResult> {
  const { url } = await deps.locate(request.store);
  await deps.enrolment.enrol(url, request.invitation, signal);
  return { url };
}
