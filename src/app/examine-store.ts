import type { DoctorFinding } from "../evidence/ports/doctor.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface Examined {
  readonly name: string;
  readonly url: string;
  readonly examinedAt: string;
  /** Undefined for stores of which there is nothing to ask. */
  readonly findings: readonly DoctorFinding[] | undefined;
}

/** Says what of a store will not work, before anybody tries. Changes nothing. @throws ExhibitError `auth.*`, `unavailable.*` */
export async function examineStore(
  deps: Pick<Deps, "connect" | "clock">,
  { store }: { readonly store?: string },
  signal: AbortSignal,
): Promise<Examined> {
  return connected(deps, store, async ({ name, store: { url }, doctor }) => ({
    name,
    url,
    examinedAt: deps.clock.now().toISOString(),
    findings: await doctor?.examine(signal),
  }));
}
