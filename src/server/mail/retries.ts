import type { ShareMailRow } from "../database/share-tables.ts";

const second = 1000;
const minute = 60 * second;

/** A link is tried for hours, a code only while it is good. */
const plans = {
  link: { firstMs: 30 * second, mostMs: 30 * minute, goOnMs: 8 * 60 * minute },
  code: { firstMs: 5 * second, mostMs: minute, goOnMs: 15 * minute },
} as const satisfies Record<ShareMailRow["kind"], unknown>;

/** How long a code opens its link, and how long a mail of each kind is tried. */
export const codeLifeMs = plans.code.goOnMs;

/** When a mail that was made at `now` is given up. */
export function giveUpAt(kind: ShareMailRow["kind"], now: Date): Date {
  return new Date(now.getTime() + plans[kind].goOnMs);
}

/** The pause behind try number `tries`, from 1: each twice as long as the one before, up to a limit. */
export function pauseMs(kind: ShareMailRow["kind"], tries: number): number {
  const { firstMs, mostMs } = plans[kind];
  return Math.min(mostMs, firstMs * 2 ** Math.min(20, tries - 1));
}
