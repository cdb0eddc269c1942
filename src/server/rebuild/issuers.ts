import { ExhibitError } from "../../evidence/errors.ts";
import { receiptSchema, type Receipt } from "../../evidence/receipt.ts";
import {
  thumbprintOf,
  unverifiedPayload,
  type PublicJwk,
  type Sealed,
} from "../../evidence/seal.ts";
import type { ServerDeps } from "../deps.ts";

/** Whose receipts count when exhibits are found again: the server's own key, its retired ones, and those that its operator names. */
export class Issuers {
  readonly #keys = new Map<string, { readonly key: PublicJwk; readonly until?: string }>();
  readonly #named: ReadonlySet<string>;
  readonly #found = new Map<string, PublicJwk>();

  constructor(
    { key, retiredKeys }: Pick<ServerDeps, "key" | "retiredKeys">,
    named: readonly string[],
  ) {
    this.#named = new Set(named);
    for (const { thumbprint, publicJwk, retiredAt } of retiredKeys) {
      this.#keys.set(thumbprint, { key: publicJwk, until: retiredAt });
    }
    this.#keys.set(key.thumbprint, { key: key.publicJwk });
  }

  /** Keys that were named by their thumbprints, and that receipts have brought. */
  get found(): readonly PublicJwk[] {
    return [...this.#found.values()];
  }

  /**
   * The key that must have signed a receipt. What the receipt says of a key only chooses among those that count.
   *
   * @throws ExhibitError `integrity.signature` for a key that does not count, or one that was retired before the receipt's own date
   */
  async keyOf(sealed: Sealed): Promise<PublicJwk> {
    const claimed = receiptSchema.safeParse(unverifiedPayload(sealed)).data;
    if (claimed === undefined) throw doesNotCount("is not well formed");
    const thumbprint = await thumbprintOf(claimed.issuer.key);
    const known = this.#keys.get(thumbprint);
    if (known !== undefined) return requireInTime(claimed, known);
    if (!this.#named.has(thumbprint)) {
      throw doesNotCount("was signed by a key that is not this server's", thumbprint);
    }
    this.#found.set(thumbprint, claimed.issuer.key);
    return claimed.issuer.key;
  }
}

function requireInTime(
  { receivedAt }: Receipt,
  { key, until }: { readonly key: PublicJwk; readonly until?: string },
): PublicJwk {
  if (until === undefined || receivedAt <= until) return key;
  throw doesNotCount("was signed by a key that had been retired by then");
}

function doesNotCount(how: string, thumbprint?: string): ExhibitError {
  return new ExhibitError("integrity.signature", `The receipt ${how}.`, {
    ...(thumbprint === undefined
      ? {}
      : {
          hint: "If that key was this server's before its data folder was lost: --former-key THUMBPRINT.",
          facts: { thumbprint },
        }),
  });
}
