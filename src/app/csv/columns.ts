import { z } from "zod";
import { ExhibitError } from "../../evidence/errors.ts";

/** What a list may say of an exhibit, in the names of our own columns. */
export const columnSchema = z.enum([
  "file",
  "case",
  "reference",
  "source-id",
  "title",
  "recorded-from",
  "recorded-to",
  "producer",
  "oic",
  "camera",
  "recorder",
  "system",
  "clock-offset",
  "clock-measured-by",
]);
export type Column = z.infer<typeof columnSchema>;

/** What a list is read by. */
export interface Header {
  /** The place of each column that is there. */
  readonly places: ReadonlyMap<Column, number>;
  /** Names of columns that mean nothing to us. */
  readonly unused: readonly string[];
  readonly width: number;
}

/**
 * Finds the columns in a list's first line. Capitals, spaces, underscores and hyphens make no difference: `Recorded From` is
 * `recorded-from`. `mapped` says what some of them are called there.
 *
 * @throws ExhibitError `usage.invalid` where the files' column is missing, or one that was named; or where one is there twice
 */
export function headerOf(
  cells: readonly string[],
  mapped: Partial<Record<Column, string>>,
  name: string,
): Header {
  const plain = cells.map(plainName);
  const places = new Map<Column, number>();
  for (const column of columnSchema.options) {
    const wanted = plainName(mapped[column] ?? column);
    const place = plain.indexOf(wanted);
    if (place < 0 && (column === "file" || mapped[column] !== undefined)) {
      throw missingColumn(mapped[column] ?? column, cells, name);
    }
    if (place < 0) continue;
    if (plain.includes(wanted, place + 1)) {
      throw new ExhibitError("usage.invalid", `${name} has two columns "${cells[place] ?? ""}".`, {
        hint: "Rename one of them, or name another column with --map.",
      });
    }
    places.set(column, place);
  }
  const used = new Set(places.values());
  const unused = cells.filter((cell, place) => !used.has(place) && cell.trim() !== "");
  return { places, unused, width: cells.length };
}

/** How many of our columns a first line has: what tells the right separator from a wrong one. */
export function knownColumns(
  cells: readonly string[],
  mapped: Partial<Record<Column, string>>,
): number {
  const plain = new Set(cells.map(plainName));
  return columnSchema.options.filter((column) => plain.has(plainName(mapped[column] ?? column)))
    .length;
}

function plainName(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, "-");
}

function missingColumn(wanted: string, cells: readonly string[], name: string): ExhibitError {
  const there = cells.filter((cell) => cell.trim() !== "").slice(0, 30);
  return new ExhibitError("usage.invalid", `${name} has no column "${wanted}".`, {
    hint: `Its columns are: ${there.join(", ") || "none"}. Say which is which, such as --map "file=Recording path,case=CAD No".`,
  });
}
