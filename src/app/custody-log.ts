import { checkCustody, type CustodyEvent, type CustodyHead } from "../evidence/custody.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { noteSigner, openNote } from "../evidence/note.ts";
import type { ExhibitEntry, Register } from "../evidence/ports/register.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";
import { findExhibit } from "./find-exhibit.ts";

export interface CustodyLogRequest {
  readonly store?: string;
  readonly exhibit: string;
}

export interface CustodyLogResult {
  readonly entry: ExhibitEntry;
  /** The lines exactly as written, oldest first, and what they say. */
  readonly lines: readonly string[];
  readonly events: readonly CustodyEvent[];
  readonly head: CustodyHead;
  /** Recipients' notes: those whose signature was checked, and those signed with a key that was none of the store's when they were left. */
  readonly notes: { readonly checked: number; readonly byUnknownKey: number };
  /** The line that the signed receipt vouches for, with all before it; absent while the exhibit is open. */
  readonly vouchedLines?: number;
}

/**
 * An exhibit's custody log, its chain checked from the first line and against the digest in the signed receipt, and the
 * signature of each note on it.
 *
 * @throws ExhibitError `integrity.chain`, `integrity.signature`, `not-found.exhibit`, `usage.ambiguous`
 */
export async function custodyLog(
  deps: Pick<Deps, "connect">,
  request: CustodyLogRequest,
  signal: AbortSignal,
): Promise<CustodyLogResult> {
  return connected(deps, request.store, async ({ register }) => {
    const entry = await findExhibit(register, request.exhibit, signal);
    const lines = await register.custody(entry, signal);
    const { events, head } = checkCustody(lines);
    const notes = await checkNotes(events, register, signal);
    const log = { entry, lines, events, head, notes };
    if (entry.state === "open") return log;
    const { receipt } = await register.read(entry, signal);
    requireHead(lines, receipt.custody, entry.id);
    return { ...log, vouchedLines: receipt.custody.lines };
  });
}

async function checkNotes(
  events: readonly CustodyEvent[],
  register: Register,
  signal: AbortSignal,
): Promise<CustodyLogResult["notes"]> {
  let [checked, byUnknownKey] = [0, 0];
  const unknown = new Set<string>();
  for (const event of events) {
    if (event.verb !== "noted") continue;
    const signer = noteSigner(event) ?? "";
    // Asked for once: the store is asked again for each that is not known.
    const key = unknown.has(signer)
      ? undefined
      : await register.issuerKeyAt(signer, event.at, signal);
    if (key === undefined) {
      unknown.add(signer);
      byUnknownKey += 1;
    } else {
      await openNote(event, key);
      checked += 1;
    }
  }
  return { checked, byUnknownKey };
}

/**
 * Checks a log's whole chain, and that it still begins with the lines that a receipt vouches for.
 *
 * @throws ExhibitError `integrity.chain`
 */
export function requireHead(lines: readonly string[], vouched: CustodyHead, exhibit: string): void {
  const { events } = checkCustody(lines);
  const { head } = checkCustody(lines.slice(0, vouched.lines));
  const own = events.every((event) => event.exhibit === exhibit);
  if (own && head.lines === vouched.lines && head.head === vouched.head) return;
  throw new ExhibitError(
    "integrity.chain",
    "The custody log is not the one the receipt vouches for.",
    {
      hint: "Lines were changed or taken away after the receipt was signed. Keep it as it is and tell your administrator.",
    },
  );
}
