import type { Identity } from "../evidence/identity.ts";
import { accountsOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

/** Lets somebody in again who signs in by the force's provider and was revoked. @throws ExhibitError `not-found.identity`, `usage.invalid` */
export async function restoreIdentity(
  deps: Pick<Deps, "connect">,
  request: { readonly store?: string; readonly identity: string },
  signal: AbortSignal,
): Promise<Identity> {
  return connected(deps, request.store, (connection) =>
    accountsOf(connection).restoreIdentity(request.identity, signal),
  );
}
