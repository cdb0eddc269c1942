import type { Invitation } from "../evidence/identity.ts";
import { accountsOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

/** The server's invitations, never their codes. @throws ExhibitError `policy.role` */
export async function listInvitations(
  deps: Pick<Deps, "connect">,
  request: { readonly store?: string },
  signal: AbortSignal,
): Promise<{ invitations: readonly Invitation[] }> {
  return connected(deps, request.store, async (connection) => ({
    invitations: await accountsOf(connection).invitations(signal),
  }));
}
