import type { CaseExhibit, CaseShare } from "../case-view.ts";

/** Tells what is in a case, page by page, in a few requests however much there is. @throws `policy.role`, `auth.*`, `unavailable.*` */
export interface Cases {
  /** By reference; none where the case is not known to the caller. */
  exhibits(caseRef: string, signal: AbortSignal): AsyncIterable<CaseExhibit>;
  /** Those that the caller may see, oldest first. */
  shares(caseRef: string, signal: AbortSignal): AsyncIterable<CaseShare>;
}
