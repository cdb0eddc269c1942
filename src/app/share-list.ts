import type { Share } from "../evidence/share.ts";
import { accountsOf, sharingOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface ShareListRequest {
  readonly store?: string;
  /** Only this identity's. */
  readonly of?: string;
}

/** The shares the caller made (an admin: all). What ended ones have left at the store is cleared away, and said in `notes`. */
export async function listShares(
  deps: Pick<Deps, "connect">,
  request: ShareListRequest,
  signal: AbortSignal,
): Promise<{ shares: readonly Share[]; notes: readonly string[] }> {
  return connected(deps, request.store, async (connection) => {
    if (request.of !== undefined) {
      return { shares: await accountsOf(connection).sharesOf(request.of, signal), notes: [] };
    }
    const sharing = sharingOf(connection);
    return { shares: await sharing.list(signal), notes: await sharing.clearEnded(signal) };
  });
}
