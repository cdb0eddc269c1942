import type { Terminal } from "./terminal.ts";
import { themeFor, type Theme } from "./theme.ts";
import { visible } from "./visible.ts";

/** A result with its well-known `schema` key, as `--json` prints it. */
export interface ResultDocument {
  readonly schema: string;
}

/**
 * Prints a result on stdout and nothing else there: with `json` one document on one line, else the lines of `text`
 * (already made {@link visible} where they hold what came from elsewhere).
 */
export function printResult(
  terminal: Terminal,
  json: boolean,
  document: ResultDocument & Readonly<Record<string, unknown>>,
  text: (theme: Theme) => readonly string[],
): void {
  const lines = json ? [JSON.stringify(document)] : text(themeFor(terminal.outputColor));
  if (lines.length > 0) terminal.output.write(`${lines.join("\n")}\n`);
}

/** Says something to the person, on stderr; nothing with `--json`, where stderr is for failures. */
export function note(terminal: Terminal, json: boolean, ...lines: readonly string[]): void {
  if (!json) terminal.error.write(lines.map((line) => `${line}\n`).join(""));
}

/** Warns on stderr, also with `--json`. */
export function warn(terminal: Terminal, text: string): void {
  const theme = themeFor(terminal.color);
  terminal.error.write(`${theme.warning("warning:")} ${visible(text)}\n`);
}

/**
 * Rows as columns two blanks apart, for people and for `awk`; the heading is printed only for people, and cells are
 * made visible.
 */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  options: { readonly heading: boolean; readonly theme: Theme },
): string[] {
  const cells = rows.map((row) => row.map(visible));
  const shown = options.heading ? [heading, ...cells] : cells;
  const widths = heading.map((_, column) =>
    Math.max(...shown.map((row) => (row[column] ?? "").length), 0),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return shown.map((row) =>
    options.heading && row === heading ? options.theme.quiet(line(row)) : line(row),
  );
}

/** A time of a document without its fractions of a second, still RFC 3339. */
export function toTheSecond(at: string): string {
  return at.replace(/\.\d+(?=Z$)/, "");
}

/** Facts as `Label   value` lines; those without a value are left out, values are made visible. */
export function facts(
  pairs: readonly (readonly [string, string | undefined])[],
  theme: Theme,
): string[] {
  const present = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined);
  const width = Math.max(...present.map(([label]) => label.length), 0);
  return present.map(([label, value]) => `${theme.quiet(label.padEnd(width))}  ${visible(value)}`);
}
