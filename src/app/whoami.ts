import type { Identity } from "../evidence/identity.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface WhoamiResult {
  /** The store's name and URL. */
  readonly store: string;
  readonly url: string;
  /** RFC 7638 thumbprint of the key that this machine signs records with there. */
  readonly keyThumbprint: string;
  /** Absent where the store has no accounts. */
  readonly identity?: Identity;
  /** This machine's clock minus the server's, where a server was asked. */
  readonly clockOffsetMs?: number;
}

/** Who this machine is to a store. @throws ExhibitError `auth.*` */
export async function whoami(
  deps: Pick<Deps, "connect">,
  request: { readonly store?: string },
  signal: AbortSignal,
): Promise<WhoamiResult> {
  return connected(
    deps,
    request.store,
    async ({ name, store, signer, accounts, clockOffsetMs }) => ({
      store: name,
      url: store.url,
      keyThumbprint: signer.thumbprint,
      ...(accounts === undefined ? {} : { identity: await accounts.me(signal) }),
      ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
    }),
  );
}
