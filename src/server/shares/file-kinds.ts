import { formatAddress } from "../../evidence/address.ts";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { ShareAccess } from "../../evidence/share.ts";
import type { MarkableKind, Renditions } from "../watermark/renditions.ts";
import type { SharedExhibit } from "./shared-exhibits.ts";

/** How a file can be shown to a recipient: as a marked copy of a kind, or not at all. */
export type ShownAs = MarkableKind | "none";

export interface LookingLimits {
  readonly signal: AbortSignal;
  /** Longest for all files together. */
  readonly mostMs: number;
}

/**
 * Looks into every file of some exhibits: how each can be shown, by exhibit, in the record's order.
 *
 * @throws ExhibitError `policy.type-not-markable`, `policy.too-large` when one can't be marked and `access` is `view`;
 *   `policy.too-large` also when it takes too long in all
 */
export async function kindsOfFiles(
  renditions: Pick<Renditions, "canMark">,
  exhibits: readonly SharedExhibit[],
  access: ShareAccess,
  { signal, mostMs }: LookingLimits,
): Promise<Map<string, ShownAs[]>> {
  const tooLong = AbortSignal.timeout(mostMs);
  const stop = AbortSignal.any([signal, tooLong]);
  const kinds = new Map<string, ShownAs[]>();
  try {
    for (const exhibit of exhibits) {
      kinds.set(exhibit.id, await kindsOf(renditions, exhibit, access, stop));
    }
    return kinds;
  } catch (error) {
    if (!tooLong.aborted) throw error;
    throw new ExhibitError(
      "policy.too-large",
      `Looking into the files of these exhibits took longer than ${mostMs / 1000} s.`,
      { hint: "Share fewer exhibits at a time.", cause: error },
    );
  }
}

async function kindsOf(
  renditions: Pick<Renditions, "canMark">,
  exhibit: SharedExhibit,
  access: ShareAccess,
  signal: AbortSignal,
): Promise<ShownAs[]> {
  const kinds: ShownAs[] = [];
  for (const [index, file] of exhibit.record.files.entries()) {
    signal.throwIfAborted();
    try {
      kinds.push(await renditions.canMark(file, signal));
    } catch (error) {
      if (signal.aborted || !isUnmarkable(error)) throw error;
      if (access === "view") throw cannotShow(exhibit, index + 1, error);
      kinds.push("none");
    }
  }
  return kinds;
}

/**
 * Refuses files whose copies carry no mark that can be seen: of recordings of sound, which carry one that can be heard, and of originals.
 *
 * @throws ExhibitError `policy.type-not-markable`
 */
export function requireVisible(
  exhibits: readonly SharedExhibit[],
  kinds: ReadonlyMap<string, readonly ShownAs[]>,
  access: ShareAccess,
): void {
  for (const exhibit of exhibits) {
    const file = (kinds.get(exhibit.id) ?? []).findIndex(
      (kind) => access === "original" || kind === "audio" || kind === "none",
    );
    if (file < 0) continue;
    throw new ExhibitError(
      "policy.type-not-markable",
      access === "original"
        ? "Originals carry no mark."
        : `File ${file + 1} of ${formatAddress(exhibit)} is sound: its mark is heard, not seen.`,
      {
        hint: "Nothing was shared. Leave out --require-visible-mark if that will do.",
        facts: { reference: exhibit.reference, file: file + 1 },
      },
    );
  }
}

function isUnmarkable(error: unknown): error is ExhibitError {
  return (
    hasCode(error, "policy.type-not-markable") ||
    hasCode(error, "policy.too-large") ||
    hasCode(error, "unavailable.program")
  );
}

function cannotShow(exhibit: SharedExhibit, ordinal: number, cause: ExhibitError): ExhibitError {
  if (cause.code === "unavailable.program") return cause;
  return new ExhibitError(
    cause.code,
    `File ${ordinal} of ${formatAddress(exhibit)}: ${cause.message}`,
    {
      hint: "Share the unaltered original with --access original, if the recipient may have it.",
      facts: { ...cause.facts, reference: exhibit.reference, file: ordinal },
      cause,
    },
  );
}
