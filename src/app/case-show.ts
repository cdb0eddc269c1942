import { caseSchema } from "../evidence/case.ts";
import type { CaseExhibit, CaseShare } from "../evidence/case-view.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { casesOfRegister } from "./cases-of-register.ts";
import { checked } from "./checked.ts";
import { connected } from "./connected.ts";
import type { Deps } from "./deps.ts";

export interface CaseShowRequest {
  readonly store?: string;
  readonly case: string;
  /** RFC 3339: what ends before is marked. */
  readonly hearing?: string;
}

/** What of it ends before the hearing, soonest first; empty without one. */
type Ending<Line> = Line & { readonly endsBeforeHearing: readonly string[] };

export type ShownExhibit = Ending<CaseExhibit>;
export type ShownShare = Ending<CaseShare>;

/** Told line by line, so that a case of any size takes no more memory than a page of it: first the exhibits, then the shares. */
export interface CaseTeller {
  onExhibit(exhibit: ShownExhibit): Promise<void>;
  onShare(share: ShownShare): Promise<void>;
}

export interface CaseTotals {
  readonly sealed: number;
  /** Exhibits that are not finished, and the uploads into them. */
  readonly open: number;
  readonly uploads: number;
  readonly files: number;
  readonly sizeBytes: number;
  readonly shares: number;
  /** Of those that are open, whose recipients have not looked. */
  readonly neverLooked: number;
  readonly endBeforeHearing: number;
}

/** A case at a glance: its exhibits, and who has looked at them. @throws ExhibitError `not-found.exhibit`, `policy.role`, `unavailable.*` */
export async function caseShow(
  deps: Pick<Deps, "connect">,
  request: CaseShowRequest,
  teller: CaseTeller,
  signal: AbortSignal,
): Promise<CaseTotals> {
  const caseRef = checked(caseSchema, request.case, "The case");
  return connected(deps, request.store, async (connection) => {
    const cases = connection.cases ?? casesOfRegister(connection);
    const totals = { sealed: 0, open: 0, uploads: 0, files: 0, sizeBytes: 0 };
    const looks = { shares: 0, neverLooked: 0 };
    let endBeforeHearing = 0;
    const ending = <Line>(line: Line, ends: readonly (string | undefined)[]): Ending<Line> => {
      const endsBeforeHearing = endsBefore(request.hearing, ends);
      endBeforeHearing += endsBeforeHearing.length;
      return { ...line, endsBeforeHearing };
    };
    for await (const exhibit of cases.exhibits(caseRef, signal)) {
      totals[exhibit.state] += 1;
      totals.uploads += exhibit.uploads?.length ?? 0;
      totals.files += exhibit.files;
      totals.sizeBytes += exhibit.sizeBytes;
      const uploads = exhibit.uploads?.map(({ expiresAt }) => expiresAt) ?? [];
      await teller.onExhibit(ending(exhibit, [exhibit.retention?.period?.until, ...uploads]));
    }
    if (totals.sealed + totals.open === 0) throw unknownCase(caseRef);
    for await (const share of cases.shares(caseRef, signal)) {
      const isOpen = share.state === "open";
      looks.shares += 1;
      if (isOpen && share.looked === undefined) looks.neverLooked += 1;
      await teller.onShare(ending(share, isOpen ? [share.expiresAt] : []));
    }
    return { ...totals, ...looks, endBeforeHearing };
  });
}

function endsBefore(
  hearing: string | undefined,
  ends: readonly (string | undefined)[],
): readonly string[] {
  if (hearing === undefined) return [];
  const limit = Date.parse(hearing);
  return ends
    .filter((end): end is string => end !== undefined && Date.parse(end) < limit)
    .sort((one, other) => Date.parse(one) - Date.parse(other));
}

function unknownCase(caseRef: string): ExhibitError {
  return new ExhibitError("not-found.exhibit", `There is no case ${caseRef} that you may see.`, {
    hint: "Check how it is written; exhibit list shows what is there.",
  });
}
