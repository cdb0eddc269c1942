import type { Deps } from "./deps.ts";

export interface LogoutResult {
  readonly url: string;
  /** False when this machine was not enrolled there. */
  readonly wasEnrolled: boolean;
}

/** Deletes this machine's registration at a server, then its key here. What it sent stays. */
export async function logout(
  deps: Pick<Deps, "locate" | "enrolment">,
  request: { readonly store?: string },
  signal: AbortSignal,
): Promise<LogoutResult> {
  const url = await deps.locate(request.store);
  return { url, wasEnrolled: await deps.enrolment.leave(url, signal) };
}
