import type { Capabilities } from "../evidence/ports/store.ts";
import type { LeftBehind, StoreFinding } from "../evidence/ports/store-probe.ts";
import type { Proof } from "../evidence/proof.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface CheckStoreRequest {
  readonly store?: string;
}

/** What is known of a store now. */
export interface CheckedStore {
  readonly name: string;
  readonly url: string;
  readonly checkedAt: string;
  /** The proof that an upload to it reaches at least. */
  readonly proof: Proof;
  /** Free space, where the store tells. */
  readonly freeBytes?: number;
  readonly findings: readonly StoreFinding[];
}

/**
 * Says what a store really does: tries out those that may promise more than they keep, asks the others. `onLeft` is told what
 * could not be removed of what was tried, also where the check failed.
 *
 * @throws ExhibitError `not-found.store`, `usage.missing`, `auth.*`, `policy.not-permitted`, `unavailable.*`
 */
export async function checkStore(
  deps: Pick<Deps, "connect" | "clock" | "probe">,
  { store }: CheckStoreRequest,
  signal: AbortSignal,
  onLeft: (left: readonly LeftBehind[]) => void,
): Promise<CheckedStore> {
  const probed = await deps.probe.tryOut(store, signal, onLeft);
  if (probed !== undefined) return probed;
  return connected(deps, store, async ({ name, store: { url, capabilities } }) => {
    const freeBytes = await deps.probe.freeBytes(url);
    return {
      name,
      url,
      checkedAt: deps.clock.now().toISOString(),
      proof: capabilities.proof,
      ...(freeBytes === undefined ? {} : { freeBytes }),
      findings: findingsOf(capabilities),
    };
  });
}

/** What a store that needs no trying out does, by its own statement. */
function findingsOf(capabilities: Capabilities): StoreFinding[] {
  const { parts, proof, refusesOverwrite, allotsReferences } = capabilities;
  const does = (yes: boolean): "works" | "absent" => (yes ? "works" : "absent");
  return [
    { id: "reach", what: "The store answers", outcome: "works" },
    { id: "proof", what: "What an upload proves", outcome: "works", detail: proof },
    {
      id: "no-overwrite",
      what: "No overwriting, by the store itself",
      outcome: refusesOverwrite ? "enforced" : "absent",
    },
    {
      id: "references",
      what: "References allotted without a race",
      outcome: does(allotsReferences),
    },
    {
      id: "parts",
      what: "Uploads in parts, taken up again where they broke off",
      outcome: does(parts.maxParts > 1),
    },
  ];
}
