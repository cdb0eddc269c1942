import { ExhibitError } from "./errors.ts";
import { instantOf } from "./wall-clock.ts";

const howToWrite = "Write 21/11/2026 14:05 (day first), 2026-11-21 14:05, or 2026-11-21T14:05:00Z.";

/**
 * A time as spreadsheets and call recorders write it, as an RFC 3339 instant with its offset: what `instantOf` takes; a date in the
 * order of day, month, year (`21/11/2026 14:05`, also with dots or hyphens, seconds, and AM or PM); or Excel's serial number of days
 * since 30 December 1899 (`46347.5868`), as the clock on the wall in `timeZone` showed it. A serial number means the full minute
 * where its decimals cannot tell it from one, else the nearest second.
 *
 * @throws ExhibitError `usage.invalid`, naming `what`, with what was understood: no such day, a year of two digits, a date without
 * a time, the hour that comes twice, or not at all, when the clocks change
 */
export function spreadsheetInstant(text: string, timeZone: string, what: string): string {
  const compact = text.trim();
  const wall = daysFirst(compact, what) ?? serial(compact, what) ?? compact;
  if (/^\d{4}-\d{2}-\d{2}$/.test(wall)) throw noTime(text, what);
  return instantOf(wall, timeZone, what, howToWrite);
}

const dayMonthYear =
  /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?:,?[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,3}))?)?(?: ?([ap])\.?m\.?)?)?$/i;

/** `21/11/2026 2:05 PM` as `2026-11-21 14:05:00`; undefined for what is written in another way. */
function daysFirst(text: string, what: string): string | undefined {
  const match = dayMonthYear.exec(text);
  if (match === null) return undefined;
  const [, day = "", , month = "", year = "", hours, minutes = "", seconds, fraction, half] = match;
  const read = `day ${Number(day)}, month ${Number(month)}, year ${year}`;
  if (year.length === 2) {
    throw refused(text, what, `was read as ${read}, and two digits do not say which year it is`);
  }
  const at = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (at.getUTCMonth() !== Number(month) - 1 || at.getUTCDate() !== Number(day)) {
    throw refused(text, what, `was read as ${read}, and there is no such day`);
  }
  if (hours === undefined) throw noTime(text, what);
  const hour = half === undefined ? Number(hours) : hourOfDay(Number(hours), half);
  if (hour === undefined || hour > 23 || Number(minutes) > 59 || Number(seconds ?? 0) > 59) {
    throw refused(text, what, "has a time of day that no clock shows");
  }
  const date = at.toISOString().slice(0, 10);
  const rest = fraction === undefined ? "" : `.${fraction}`;
  return `${date} ${hour.toString().padStart(2, "0")}:${minutes}:${seconds ?? "00"}${rest}`;
}

/** Midnight is 12 AM, noon 12 PM. */
function hourOfDay(hour: number, half: string): number | undefined {
  if (hour < 1 || hour > 12) return undefined;
  return (hour % 12) + (half.toLowerCase() === "p" ? 12 : 0);
}

const dayMs = 86_400_000;
const minuteMs = 60_000;
const epochMs = Date.UTC(1899, 11, 30);
/** 1990 to 2099: other numbers of five digits are somebody's reference, or come from the other calendar, of 1904. */
const serials = { first: 32_874, last: 73_050 };

function serial(text: string, what: string): string | undefined {
  const match = /^(\d+)(?:[.,](\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, days = "", decimals] = match;
  if (Number(days) < serials.first || Number(days) > serials.last) {
    throw refused(text, what, "is a number, and as Excel's number of a day it is far from today");
  }
  if (decimals === undefined) throw noTime(text, what);
  const atMs = epochMs + Number(days) * dayMs + Number(`0.${decimals}`) * dayMs;
  const unsureMs = (dayMs / 10 ** decimals.length) * 0.5;
  const minute = Math.round(atMs / minuteMs) * minuteMs;
  const near =
    Math.abs(minute - atMs) <= Math.max(unsureMs, 1) ? minute : Math.round(atMs / 1000) * 1000;
  return new Date(near).toISOString().slice(0, 19).replace("T", " ");
}

function noTime(text: string, what: string): ExhibitError {
  return refused(text, what, "is a day without a time");
}

function refused(text: string, what: string, why: string): ExhibitError {
  return new ExhibitError("usage.invalid", `${what}: "${text}" ${why}.`, {
    hint: howToWrite,
  });
}
