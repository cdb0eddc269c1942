import { createHash } from "node:crypto";
import { ExhibitError } from "./errors.ts";

/** A part of many exhibits, chosen by their ids alone, so that everyone chooses the same. */
export interface Sample {
  /** How much of everything, in percent: more than 0, at most 100. */
  readonly percent: number;
  /** Which of the many samples of that size. */
  readonly seed: number;
}

/**
 * Whether an exhibit is in a sample. Samples whose seeds follow each other follow each other on a ring on which every exhibit has its
 * place: at 2 percent any 50 of them in a row have every exhibit in them, each once.
 */
export function isInSample({ percent, seed }: Sample, exhibitId: string): boolean {
  const place = createHash("sha256").update(exhibitId).digest().readUIntBE(0, 6) / 2 ** 48;
  const start = ((seed * percent) / 100) % 1;
  return (place - start + 1) % 1 < percent / 100;
}

/** Reads `2%` or `0.5%`. @throws ExhibitError `usage.invalid` */
export function parsePercent(text: string, what: string): number {
  const percent = Number(/^(\d{1,3}(?:\.\d{1,4})?)\s*%?$/.exec(text.trim())?.[1]);
  if (percent > 0 && percent <= 100) return percent;
  throw new ExhibitError("usage.invalid", `${what} must be a share in percent, not "${text}".`, {
    hint: "Write more than 0 and at most 100, such as 2% or 0.5%.",
  });
}
