import type { ErrorCode } from "../errors.ts";

/** `will-not-work`: something that people will try is going to be refused. `unknown`: nobody would say. */
export const verdicts = ["ok", "will-not-work", "unknown"] as const;
export type Verdict = (typeof verdicts)[number];

/** One thing that was looked at before anybody tries it. */
export interface DoctorFinding {
  /** A stable name for programs: `links-open`. */
  readonly id: string;
  readonly verdict: Verdict;
  /** What works or does not, in words. */
  readonly words: string;
  /** What an administrator must set, where something does not work. */
  readonly remedy?: string | undefined;
  /** What a command that tries it will fail with, where that is known. */
  readonly code?: ErrorCode | undefined;
}

/** Says what of a store will not work, by its settings, before anybody tries. Changes nothing. */
export interface Doctor {
  /** @throws `auth.*`, `unavailable.*` */
  examine(signal: AbortSignal): Promise<readonly DoctorFinding[]>;
}
