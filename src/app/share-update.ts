import type { ShareUpdate } from "../evidence/ports/sharing.ts";
import { sharingOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";
import { endIn } from "./share-create.ts";
import type { ShareShowRequest } from "./share-show.ts";

export interface ShareUpdateRequest extends ShareShowRequest {
  /** From now on. */
  readonly expiresInSeconds: number;
}

/**
 * Gives a share another end; its link stays.
 *
 * @throws ExhibitError `not-found.share`, `usage.invalid`, `conflict.share-ended`, `conflict.share-changed`, `policy.role`
 */
export async function updateShare(
  deps: Pick<Deps, "connect" | "clock">,
  request: ShareUpdateRequest,
  signal: AbortSignal,
): Promise<ShareUpdate> {
  return connected(deps, request.store, async (connection) => {
    const expiresAt = endIn(deps, connection, request.expiresInSeconds);
    return sharingOf(connection).update(request.share, expiresAt, signal);
  });
}
