import { z } from "zod";
import { ExhibitError } from "./errors.ts";

const withOffset = z.iso.datetime({ offset: true });
const wallClock = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,3})?)?$/;

const usualForms =
  'Write 2026-11-21T14:05:00Z, or "2026-11-21 14:05" as the clock in --time-zone showed it.';

/**
 * A time as people give it, as an RFC 3339 instant with its offset: either it has an offset already, or it is what the
 * clock on the wall showed in `timeZone` (IANA name). `howToWrite` is what to do about one that is neither.
 *
 * @throws ExhibitError `usage.invalid`, naming `flag`; also for the hour that comes twice, or not at all, when the clocks change
 */
export function instantOf(
  text: string,
  timeZone: string,
  flag: string,
  howToWrite = usualForms,
): string {
  const zone = zoneFormat(timeZone);
  const compact = text.trim();
  if (withOffset.safeParse(compact).success) return compact;
  const match = wallClock.exec(compact);
  const wall =
    match === null
      ? Number.NaN
      : Date.parse(`${match[1] ?? ""}T${match[2] ?? ""}${match[3] ?? ":00"}Z`);
  // Date.parse takes the 30th of February for the 2nd of March.
  if (Number.isNaN(wall) || !new Date(wall).toISOString().startsWith(match?.[1] ?? "")) {
    throw new ExhibitError("usage.invalid", `${flag} is not a time: "${text}".`, {
      hint: howToWrite,
    });
  }
  // An offset is right when the clock there shows just this time: one, none, or two of them are.
  const around = [wall - 86_400_000, wall + 86_400_000].map((at) => offsetMs(zone, at));
  const fitting = [...new Set(around)].filter((offset) => offsetMs(zone, wall - offset) === offset);
  const [offset, ...others] = fitting;
  if (offset === undefined || others.length > 0) {
    throw new ExhibitError(
      "usage.invalid",
      `${flag}: in ${timeZone} the clock showed ${text} ${offset === undefined ? "never" : "twice"}, because the clocks changed.`,
      { hint: "Write the time with its offset, such as 2026-10-25T01:30:00+01:00." },
    );
  }
  const clock = new Date(wall).toISOString().replace(/\.000Z$|Z$/, "");
  return `${clock}${offsetText(offset)}`;
}

/** @throws ExhibitError `usage.invalid` for what is no IANA time zone */
export function requireTimeZone(timeZone: string): void {
  zoneFormat(timeZone);
}

/** By name. Making one takes longer than checking all the rest of a row in a list. */
const zoneFormats = new Map<string, Intl.DateTimeFormat>();

function zoneFormat(timeZone: string): Intl.DateTimeFormat {
  try {
    const made = zoneFormats.get(timeZone);
    if (made !== undefined) return made;
    const format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    zoneFormats.set(timeZone, format);
    return format;
  } catch (cause) {
    throw new ExhibitError("usage.invalid", `--time-zone "${timeZone}" is not a time zone.`, {
      hint: "Write its name as in Europe/London or UTC.",
      cause,
    });
  }
}

/** How far the wall clock is ahead of UTC at this instant. */
function offsetMs(zone: Intl.DateTimeFormat, atMs: number): number {
  const part = Object.fromEntries(
    zone.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]),
  );
  const shown = Date.UTC(
    part["year"] ?? 0,
    (part["month"] ?? 1) - 1,
    part["day"],
    part["hour"],
    part["minute"],
    part["second"],
  );
  return shown - Math.floor(atMs / 1000) * 1000;
}

function offsetText(offset: number): string {
  if (offset === 0) return "Z";
  const minutes = Math.abs(offset) / 60_000;
  const two = (value: number): string => Math.floor(value).toString().padStart(2, "0");
  return `${offset < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
