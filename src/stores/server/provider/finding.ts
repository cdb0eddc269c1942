import type { DoctorFinding, Verdict } from "../../../evidence/ports/doctor.ts";

/** One finding; a remedy only where something is to be set. */
export function finding(
  id: string,
  verdict: Verdict,
  words: string,
  remedy?: string,
): DoctorFinding {
  return { id, verdict, words, ...(remedy === undefined ? {} : { remedy }) };
}
