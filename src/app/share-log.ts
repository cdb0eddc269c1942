import type { Share, ShareAccessEvent } from "../evidence/share.ts";
import { sharingOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";
import type { ShareShowRequest } from "./share-show.ts";

export interface ShareLogResult {
  readonly share: Share;
  /** Views by someone who gave the code, or tried to; oldest first. */
  readonly events: readonly ShareAccessEvent[];
  /** Machines that fetched the page and never gave a code: mail scanners, most of them. */
  readonly prefetches: readonly ShareAccessEvent[];
  /** What the log does not tell, and why. */
  readonly notes: readonly string[];
}

/** Every access to a share: who, when, from where, what. @throws ExhibitError `not-found.share` */
export async function shareLog(
  deps: Pick<Deps, "connect">,
  request: ShareShowRequest,
  signal: AbortSignal,
): Promise<ShareLogResult> {
  return connected(deps, request.store, async (connection) => {
    const sharing = sharingOf(connection);
    const share = await sharing.show(request.share, signal);
    const { events: all, notes } = await sharing.log(request.share, signal);
    return {
      share,
      events: all.filter((event) => event.kind !== "prefetch"),
      prefetches: all.filter((event) => event.kind === "prefetch"),
      notes,
    };
  });
}
