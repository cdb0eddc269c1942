import { accountsOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface IdentityRevokeRequest {
  readonly store?: string;
  readonly identity: string;
}

/** Shuts an identity out from its next request on; what it sent stays. @throws ExhibitError `not-found.identity` */
export async function revokeIdentity(
  deps: Pick<Deps, "connect">,
  request: IdentityRevokeRequest,
  signal: AbortSignal,
): Promise<void> {
  return connected(deps, request.store, (connection) =>
    accountsOf(connection).revokeIdentity(request.identity, signal),
  );
}
