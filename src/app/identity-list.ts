import type { Identity } from "../evidence/identity.ts";
import { accountsOf } from "./abilities.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

/** Everyone enrolled at the server. @throws ExhibitError `policy.role` */
export async function listIdentities(
  deps: Pick<Deps, "connect">,
  request: { readonly store?: string },
  signal: AbortSignal,
): Promise<{ identities: readonly Identity[] }> {
  return connected(deps, request.store, async (connection) => ({
    identities: await accountsOf(connection).identities(signal),
  }));
}
