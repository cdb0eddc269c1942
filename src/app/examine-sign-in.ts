import type { DoctorFinding } from "../evidence/ports/doctor.ts";
import type { ShowPage } from "../evidence/ports/officer-sign-in.ts";
import type { Deps } from "./deps.ts";

export interface ExaminedSignIn {
  readonly name: string;
  readonly url: string;
  readonly findings: readonly DoctorFinding[];
}

/** Says what of signing in by the force's provider will not work, and what to set. Keeps nothing. @throws ExhibitError `unavailable.store` */
export async function examineSignIn(
  deps: Pick<Deps, "locate" | "officers">,
  request: { readonly store?: string; readonly showPage: ShowPage },
  signal: AbortSignal,
): Promise<ExaminedSignIn> {
  const { name, url } = await deps.locate(request.store);
  return { name, url, findings: await deps.officers.examine(url, request.showPage, signal) };
}
