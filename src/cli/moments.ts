import { parseDuration } from "../evidence/quantities.ts";
import { instantOf } from "../evidence/wall-clock.ts";

/**
 * A day (its start), or a time, by the clock in `timeZone` or of this machine.
 *
 * @throws ExhibitError `usage.invalid`, naming `flag`
 */
export function momentGiven(text: string, flag: string, timeZone?: string): string {
  const machineZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text} 00:00` : text;
  return instantOf(time, timeZone ?? machineZone, flag);
}

/** As {@link momentGiven}, and a duration back from now: `7d`. */
export function sinceGiven(text: string, flag: string, timeZone?: string): string {
  if (!/^\d+[smhdw]$/i.test(text)) return momentGiven(text, flag, timeZone);
  return new Date(Date.now() - parseDuration(text, flag) * 1000).toISOString();
}
