import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";
import { findExhibit } from "./find-exhibit.ts";
import { verifyExhibit, type VerifiedExhibit } from "./verify-exhibit.ts";

export interface VerifyRequest {
  readonly store?: string;
  readonly exhibit: string;
  /** Reads every byte again, whatever the store keeps. */
  readonly deep?: boolean;
}

/** Exit code: 0 when `failed` is empty, else that of its first code. */
export interface VerifyResult extends VerifiedExhibit {
  readonly id: string;
  readonly case: string;
  readonly reference: string;
}

/**
 * Compares an exhibit in the store with its signed record: by what the store says of it beside its receipt, where the store keeps
 * digests of its own, else, or with `deep`, by reading every byte again. Checks the custody chain against the receipt, too.
 *
 * @throws ExhibitError `not-found.exhibit`, `usage.ambiguous`; `integrity.signature`, `integrity.mismatch` when record
 * and receipt are not to be trusted; `unavailable.store`; the signal's reason
 */
export async function verify(
  deps: Pick<Deps, "connect" | "patience" | "outage" | "onEvent">,
  request: VerifyRequest,
  signal: AbortSignal,
): Promise<VerifyResult> {
  return connected(deps, request.store, async (connection) => {
    const entry = await findExhibit(connection.register, request.exhibit, signal);
    const { id, case: caseRef, reference } = entry;
    const verified = await verifyExhibit(
      deps,
      connection,
      entry,
      { deep: request.deep === true, isLast: true },
      signal,
    );
    return { id, case: caseRef, reference, ...verified };
  });
}
