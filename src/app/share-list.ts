import type { Share } from "../evidence/share.ts";
import { accountsOf, sharingOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface ShareListRequest {
  readonly store?: string;
  /** Only this identity's. */
  readonly of?: string;
}

/** The shares the caller made (an admin: all). */
export async function listShares(
  deps: Pick<Deps, "connect">,
  request: ShareListRequest,
  signal: AbortSignal,
): Promise<{ shares: readonly Share[] }> {
  return connected(deps, request.store, async (connection) => ({
    shares:
      request.of === undefined
        ? await sharingOf(connection).list(signal)
        : await accountsOf(connection).sharesOf(request.of, signal),
  }));
}
