import { accountsOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface InviteRevokeRequest {
  readonly store?: string;
  readonly invitation: string;
}

/** Makes an invitation worthless; who has used it stays enrolled. @throws ExhibitError `not-found.invitation` */
export async function revokeInvitation(
  deps: Pick<Deps, "connect">,
  request: InviteRevokeRequest,
  signal: AbortSignal,
): Promise<void> {
  return connected(deps, request.store, (connection) =>
    accountsOf(connection).revokeInvitation(request.invitation, signal),
  );
}
