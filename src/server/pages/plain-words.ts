const ours = "Europe/London";

/**
 * An RFC 3339 time for people: `29 November 2026 at 10:40 GMT`. The field is British policing: the zone is London's
 * unless another is given that this system knows.
 */
export function timeInWords(at: string, timeZone = ours): string {
  return inWords(at, timeZone, {});
}

/** The same to the second: `29 November 2026 at 10:40:07 GMT`. */
export function secondInWords(at: string, timeZone = ours): string {
  return inWords(at, timeZone, { second: "2-digit" });
}

function inWords(at: string, timeZone: string, more: Intl.DateTimeFormatOptions): string {
  const style = {
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
    ...more,
  } as const;
  try {
    return new Intl.DateTimeFormat("en-GB", { ...style, timeZone }).format(new Date(at));
  } catch (error) {
    if (error instanceof RangeError && timeZone !== ours) return inWords(at, ours, more);
    throw error;
  }
}

/** A size for people, in decimal units: `42.1 MB`. */
export function sizeInWords(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  if (bytes === 1) return "1 byte";
  return `${power === 0 ? value : value.toFixed(1)} ${units[power] ?? ""}`;
}
