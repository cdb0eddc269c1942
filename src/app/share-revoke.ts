import type { Revocation } from "../evidence/ports/sharing.ts";
import { sharingOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";
import { findExhibit } from "./find-exhibit.ts";

export interface ShareRevokeRequest {
  readonly store?: string;
  readonly share: string;
  /** Takes only this exhibit out of the share; as a person names it. */
  readonly exhibit?: string;
}

/** Cuts a share off, or one exhibit of it, at once. Repeating it succeeds. @throws ExhibitError `not-found.*` */
export async function revokeShare(
  deps: Pick<Deps, "connect">,
  request: ShareRevokeRequest,
  signal: AbortSignal,
): Promise<Revocation> {
  return connected(deps, request.store, async (connection) => {
    const { exhibit } = request;
    const id =
      exhibit === undefined
        ? undefined
        : (await findExhibit(connection.register, exhibit, signal)).id;
    return sharingOf(connection).revoke(request.share, id, signal);
  });
}
