import type { Share } from "../evidence/share.ts";
import { sharingOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface ShareShowRequest {
  readonly store?: string;
  /** The share's id. */
  readonly share: string;
}

/** One share; never its link or code. @throws ExhibitError `not-found.share` */
export async function showShare(
  deps: Pick<Deps, "connect">,
  request: ShareShowRequest,
  signal: AbortSignal,
): Promise<{ share: Share }> {
  return connected(deps, request.store, async (connection) => ({
    share: await sharingOf(connection).show(request.share, signal),
  }));
}
