import { badRequest } from "../http/answer.ts";

/** As Box writes dates: in the zone of the enterprise, to the second. */
export function boxDate(date: Date): string {
  const west = new Date(date.getTime() - 8 * 3_600_000);
  return `${west.toISOString().slice(0, 19)}-08:00`;
}

/** A date that a client sent, or undefined where it sent none. */
export function sentDate(value: unknown, name: string): Date | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") {
    const at = new Date(value);
    if (/^\d{4}-\d\d-\d\d(T.*)?$/.test(value) && !Number.isNaN(at.getTime())) return at;
  }
  throw badRequest(`Invalid value for ${name}: not a date as RFC 3339 has it`);
}
