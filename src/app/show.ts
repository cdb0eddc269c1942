import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";
import { findExhibit } from "./find-exhibit.ts";
import type { ExhibitEntry, SealedExhibit } from "../evidence/ports/register.ts";

export interface ShowRequest {
  readonly store?: string;
  readonly exhibit: string;
}

export interface ShowResult {
  readonly entry: ExhibitEntry;
  /** Record and receipt, both checked against pinned keys; absent while the exhibit is open. */
  readonly sealed?: SealedExhibit;
}

/** One exhibit with its documents. @throws ExhibitError `not-found.exhibit`, `usage.ambiguous`, `integrity.signature` */
export async function show(
  deps: Pick<Deps, "connect">,
  request: ShowRequest,
  signal: AbortSignal,
): Promise<ShowResult> {
  return connected(deps, request.store, async ({ register }) => {
    const entry = await findExhibit(register, request.exhibit, signal);
    if (entry.state === "open") return { entry };
    return { entry, sealed: await register.read(entry, signal) };
  });
}
