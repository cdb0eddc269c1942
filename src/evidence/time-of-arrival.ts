import { limitAt, type Timetable } from "./timetable.ts";

const stepMs = 60_000;
/** Nobody is told of more than a fortnight. */
const mostMs = 14 * 86_400_000;

/**
 * When so many bytes will have arrived, at the speed that was measured and with the limits that the timetable has in store. A speed
 * that is about the present limit says little of the line: where the limit is higher later, the line is believed to carry that; where
 * there is none, the measured speed. Undefined beyond a fortnight.
 */
export function arrivalAt(
  leftBytes: number,
  measured: number,
  timetable: Timetable,
  now: Date,
  timeZone: string | undefined,
): Date | undefined {
  const start = now.getTime();
  const present = limitAt(timetable, now, timeZone);
  if (timetable.entries.length === 1) {
    const ms = (leftBytes / measured) * 1000;
    return ms > mostMs ? undefined : new Date(start + ms);
  }
  const isLimited = present !== "off" && measured >= present * 0.85;
  let left = leftBytes;
  let limit = present;
  for (let at = start; at < start + mostMs; at += stepMs) {
    // Limits change at full five minutes at the most often that people write them; asking is dear.
    if (at !== start && Math.floor(at / stepMs) % 5 === 0) {
      limit = limitAt(timetable, new Date(at), timeZone);
    }
    const rate = limit === "off" ? measured : isLimited ? limit : Math.min(limit, measured);
    const inStep = (rate * stepMs) / 1000;
    if (left <= inStep) return new Date(at + (left / rate) * 1000);
    left -= inStep;
  }
  return undefined;
}
