import { ExhibitError } from "./errors.ts";
import { parseSize } from "./quantities.ts";

/** Bytes a second, or no limit. */
export type Limit = number | "off";

/** From a minute of the week on (0 is Monday, 00:00, by the clock on the wall), until the next entry's. */
interface Entry {
  readonly minute: number;
  readonly limit: Limit;
}

/** Limits by the time of the week; entries in order, at least one. */
export interface Timetable {
  readonly entries: readonly Entry[];
}

const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const minutesADay = 24 * 60;

/**
 * Reads what `--bwlimit` takes, in rclone's form: `2M`, `off`, or a timetable such as `08:00,512K 19:00,10M 23:00,off` (each day)
 * or `Mon-08:00,500K Fri-22:00,off`. Sizes need their unit: a bare number means KiB to rclone and bytes elsewhere.
 *
 * @throws ExhibitError `usage.invalid`, naming `what`
 */
export function parseTimetable(text: string, what: string): Timetable {
  const words = text.trim().split(/\s+/);
  const [only = ""] = words;
  if (words.length === 1 && !only.includes(",")) {
    return { entries: [{ minute: 0, limit: parseLimit(only, text, what) }] };
  }
  const entries = words.flatMap((word) => parseEntry(word, text, what));
  const byMinute = new Map(entries.map((entry) => [entry.minute, entry]));
  if (byMinute.size < entries.length) throw malformed(text, what);
  return { entries: [...byMinute.values()].sort((a, b) => a.minute - b.minute) };
}

/** The limit at an instant, in a time zone: that of the last entry before it, if need be of the week before. */
export function limitAt({ entries }: Timetable, at: Date, timeZone: string | undefined): Limit {
  const now = minuteOfWeek(at, timeZone);
  const last = entries.findLast(({ minute }) => minute <= now) ?? entries.at(-1);
  return last?.limit ?? "off";
}

/** Wall time by the zone's own rules, so that a change of the clock in spring or autumn is followed when it happens. */
function minuteOfWeek(at: Date, timeZone: string | undefined): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone,
  }).formatToParts(at);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? "";
  const day = days.indexOf(part("weekday").toLowerCase());
  return day * minutesADay + Number(part("hour")) * 60 + Number(part("minute"));
}

/** One entry a day where no day is named. */
function parseEntry(word: string, text: string, what: string): Entry[] {
  const match = /^(?:([a-z]{3})[a-z]*-)?([01]?\d|2[0-3]):([0-5]\d),(.+)$/i.exec(word);
  const [, name, hour, minute, size] = match ?? [];
  if (size === undefined) throw malformed(text, what);
  const day = name === undefined ? undefined : days.indexOf(name.toLowerCase());
  if (day === -1) throw malformed(text, what);
  const inDay = Number(hour) * 60 + Number(minute);
  const limit = parseLimit(size, text, what);
  return (day === undefined ? days.map((_, index) => index) : [day]).map((one) => ({
    minute: one * minutesADay + inDay,
    limit,
  }));
}

function parseLimit(size: string, text: string, what: string): Limit {
  if (size.toLowerCase() === "off") return "off";
  if (!/[KMGT]/i.test(size)) throw malformed(text, what);
  const limit = parseSize(size, what);
  if (limit < 1024) throw malformed(text, what);
  return limit;
}

function malformed(text: string, what: string): ExhibitError {
  return new ExhibitError("usage.invalid", `${what} cannot be understood: "${text}".`, {
    hint: 'Write a speed a second such as 2M (1K at least) or off, or a timetable such as "Mon-08:00,500K Mon-19:00,off".',
  });
}
