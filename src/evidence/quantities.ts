import { ExhibitError } from "./errors.ts";

const sizeUnits = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const;
const durationUnits = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/**
 * Reads a size as people write it: `200G`, `8M`, `1.5T`, `4096`. Units are powers of 1024; `B` and `iB` behind
 * them are accepted.
 *
 * @throws ExhibitError `usage.invalid`, naming `what`
 */
export function parseSize(text: string, what: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,3})?)([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  const unit = sizeUnits[(match?.[2] ?? "").toUpperCase() as keyof typeof sizeUnits];
  const bytes = Math.round(Number(match?.[1]) * unit);
  if (!Number.isSafeInteger(bytes)) {
    throw new ExhibitError("usage.invalid", `${what} must be a size, not "${text}".`, {
      hint: "Write a number and K, M, G or T, for example 8M or 200G.",
    });
  }
  return bytes;
}

/**
 * Reads a duration as people write it: `7d`, `12h`, `90m`, `45s`, `2w`. Gives seconds, always more than none.
 *
 * @throws ExhibitError `usage.invalid`, naming `what`
 */
export function parseDuration(text: string, what: string): number {
  const match = /^(\d{1,9})([smhdw])$/i.exec(text.trim());
  const unit = durationUnits[(match?.[2] ?? "s").toLowerCase() as keyof typeof durationUnits];
  const seconds = Number(match?.[1]) * unit;
  if (!Number.isSafeInteger(seconds) || seconds === 0) {
    throw new ExhibitError("usage.invalid", `${what} must be a duration, not "${text}".`, {
      hint: "Write a number and s, m, h, d or w, for example 12h or 7d.",
    });
  }
  return seconds;
}

/** A number of things for people: `1 file`, `12 files`. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** A size for people: `38.2 GB` in powers of 1000 would differ from `--part-size`, so powers of 1024: `35.6 GiB`. */
export function formatSize(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return counted(Math.round(bytes), "byte");
  return `${value.toFixed(value < 10 ? 2 : 1)} ${units[unit] ?? ""}`;
}

/** A duration for people, to its two largest units: `2 h 5 min`, `40 s`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor((whole % 86_400) / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "min"],
    [whole % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count], index) => index === 0 || count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}
