import type { NewShare } from "../evidence/ports/sharing.ts";
import { sharingOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";
import type { ShareShowRequest } from "./share-show.ts";

export interface ShareRenewRequest extends ShareShowRequest {
  /** True: by mail, where the store can; false: handed over by hand; undefined: as the share was before. */
  readonly mail: boolean | undefined;
}

/**
 * Gives a share a new link and code, which are shown this once; the old ones are dead from then on.
 *
 * @throws ExhibitError `not-found.share`, `conflict.share-ended`, `policy.role`, `policy.unsupported`
 */
export async function renewShare(
  deps: Pick<Deps, "connect">,
  request: ShareRenewRequest,
  signal: AbortSignal,
): Promise<NewShare> {
  return connected(deps, request.store, (connection) =>
    sharingOf(connection).renew(request.share, request.mail, signal),
  );
}
