import { isBoxAddress } from "../evidence/box-address.ts";
import type { LoginEnd } from "../evidence/ports/sign-in.ts";
import type { Deps } from "./deps.ts";

export interface LogoutResult {
  readonly url: string;
  /** False when this machine was not enrolled, or signed in, there. */
  readonly wasEnrolled: boolean;
  readonly login: LoginEnd;
}

/** Ends this machine's registration at a server, or its login, then forgets it here. What it sent stays. */
export async function logout(
  deps: Pick<Deps, "locate" | "enrolment" | "signIn">,
  request: { readonly store?: string },
  signal: AbortSignal,
): Promise<LogoutResult> {
  const place = await deps.locate(request.store);
  const { url } = place;
  const login = isBoxAddress(url)
    ? await deps.signIn.signOut(place, signal)
    : await deps.enrolment.leave(url, signal);
  return { url, wasEnrolled: login !== "none", login };
}
