import type { Share } from "../evidence/share.ts";
import { accountsOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface ShareReassignRequest {
  readonly store?: string;
  readonly share: string;
  /** The identity that gets it. */
  readonly to: string;
}

/** Hands a share to another officer; link, code and end stay. @throws ExhibitError `not-found.*`, `policy.role`, `usage.invalid` */
export async function reassignShare(
  deps: Pick<Deps, "connect">,
  request: ShareReassignRequest,
  signal: AbortSignal,
): Promise<Share> {
  return connected(deps, request.store, (connection) =>
    accountsOf(connection).reassignShare(request.share, request.to, signal),
  );
}
