import { isBoxAddress } from "../evidence/box-address.ts";
import type { Identity } from "../evidence/identity.ts";
import type { Login } from "../evidence/ports/connection.ts";
import type { Account } from "../evidence/ports/sign-in.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface WhoamiResult {
  /** The store's name and URL. */
  readonly store: string;
  readonly url: string;
  /** RFC 7638 thumbprint of the key that this machine signs records with there. Absent where the store only says who signed in. */
  readonly keyThumbprint?: string;
  /** Absent where the store has no accounts. */
  readonly identity?: Identity;
  /** Whose the login is, where the store has accounts of its own. */
  readonly account?: Account;
  /** The user that everything is done as, where the store's address names one. */
  readonly actsAs?: Account;
  /** The force's provider that the sign-in comes from, and when it is to be renewed next. */
  readonly signedInBy?: { readonly issuer: string; readonly until?: string };
  /** This machine's clock minus the server's, where a server was asked. */
  readonly clockOffsetMs?: number;
}

/** Who this machine is to a store. @throws ExhibitError `auth.*` */
export async function whoami(
  deps: Pick<Deps, "connect" | "locate" | "signIn">,
  request: { readonly store?: string },
  signal: AbortSignal,
): Promise<WhoamiResult> {
  const place = await deps.locate(request.store);
  if (isBoxAddress(place.url)) {
    // The folder is not looked for: who one is has to be seen also where it is not there for them.
    const { account, actsAs } = await deps.signIn.signedIn(place, signal);
    return {
      store: place.name,
      url: place.url,
      account,
      ...(actsAs === undefined ? {} : { actsAs }),
    };
  }
  return connected(
    deps,
    request.store,
    async ({ name, store, signer, accounts, login, clockOffsetMs }) => ({
      store: name,
      url: store.url,
      keyThumbprint: signer.thumbprint,
      ...(accounts === undefined ? {} : { identity: await accounts.me(signal) }),
      ...(login === undefined ? {} : { signedInBy: await inWords(login) }),
      ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
    }),
  );
}

async function inWords(login: Login): Promise<NonNullable<WhoamiResult["signedInBy"]>> {
  const end = await login.until();
  return { issuer: login.issuer, ...(end === undefined ? {} : { until: end.toISOString() }) };
}
