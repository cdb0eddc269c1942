import { Readable, Transform, pipeline } from "node:stream";
import path from "node:path";
import { CsvError, parse } from "csv-parse";
import { parse as parseAtOnce } from "csv-parse/sync";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Source } from "../../evidence/ports/source.ts";
import { headerOf, knownColumns, type Column, type Header } from "./columns.ts";
import { textOf } from "./text.ts";

/** A row that is not empty. */
export interface Row {
  /** As a spreadsheet counts: the line of column names is 1. */
  readonly number: number;
  /** Trimmed; what is empty is not there. */
  readonly cells: ReadonlyMap<Column, string>;
  /** It has more cells than there are columns. */
  readonly isTooLong: boolean;
}

/** A list as its file has it at this moment. */
export interface List {
  readonly header: Header;
  readonly rows: AsyncIterable<Row>;
  /** Changes with any write to the file. */
  readonly version: string;
}

/** Longer than any row that people write: a quote that is never closed must not take all memory. */
const longestRow = 256 * 1024;

const separators = [",", ";", "\t"] as const;

const format = {
  relax_column_count: true,
  relax_quotes: true,
  max_record_size: longestRow,
};

/**
 * Reads a list in CSV (RFC 4180; also with semicolons or tabs, and with Excel's `sep=;` before all): its column names first, then its
 * rows as they are asked for. Rows without any cell are left out, and counted.
 *
 * @throws ExhibitError `usage.invalid` where it is no such list, with the row where it breaks off being one; `not-found.source`,
 * `unavailable.source`, `integrity.source-changed`
 */
export async function readList<Result>(
  source: Source,
  location: string,
  mapped: Partial<Record<Column, string>>,
  use: (list: List) => Promise<Result>,
): Promise<Result> {
  const name = path.basename(location);
  const file = await source.open(location);
  try {
    const pieces = textOf(file, name);
    const { first, rest, isSeparatorLine } = await firstLine(pieces);
    const said = isSeparatorLine ? first.slice(4, 5) : undefined;
    const head = isSeparatorLine ? await firstLine(rest) : { first, rest };
    const separator = said ?? separatorOf(head.first, mapped);
    const records = recordsOf(head.first, head.rest, separator, name);
    const names = await records.next();
    const header = headerOf(names.done === true ? [] : names.value, mapped, name);
    const rows = rowsOf(records, header);
    try {
      return await use({ header, rows, version: file.stat.version });
    } finally {
      await rows.return(undefined);
    }
  } finally {
    await file.close();
  }
}

interface Head {
  /** With its end. */
  readonly first: string;
  readonly rest: AsyncGenerator<string>;
  readonly isSeparatorLine: boolean;
}

/** The first line and what comes behind it; quotes may hold line ends. */
async function firstLine(pieces: AsyncGenerator<string>): Promise<Head> {
  let text = "";
  let end = -1;
  while (end < 0 && text.length <= longestRow) {
    const piece = await pieces.next();
    if (piece.done === true) break;
    text += piece.value;
    end = endOfLine(text);
  }
  const first = end < 0 ? text : text.slice(0, end);
  const isSeparatorLine = /^sep=[^\r\n]\r?\n?$/i.test(first);
  async function* rest(): AsyncGenerator<string> {
    if (text.length > first.length) yield text.slice(first.length);
    yield* pieces;
  }
  return { first, rest: rest(), isSeparatorLine };
}

function endOfLine(text: string): number {
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '"') isQuoted = !isQuoted;
    else if (text[at] === "\n" && !isQuoted) return at + 1;
  }
  return -1;
}

/** The one by which a first line has the most columns that we know, then the most columns. */
function separatorOf(line: string, mapped: Partial<Record<Column, string>>): string {
  const scored = separators.map((separator) => {
    const cells = cellsOf(line, separator);
    return { separator, known: knownColumns(cells, mapped), count: cells.length };
  });
  scored.sort((a, b) => b.known - a.known || b.count - a.count);
  return scored[0]?.separator ?? ",";
}

function cellsOf(line: string, delimiter: string): readonly string[] {
  try {
    return parseAtOnce(line, { ...format, delimiter })[0] ?? [];
  } catch {
    return [];
  }
}

async function* recordsOf(
  first: string,
  rest: AsyncGenerator<string>,
  delimiter: string,
  name: string,
): AsyncGenerator<string[]> {
  async function* all(): AsyncGenerator<string> {
    yield first;
    yield* rest;
  }
  const parser = parse({ ...format, delimiter }) as Transform;
  let count = 0;
  pipeline(Readable.from(all()), parser, () => undefined);
  try {
    for await (const record of parser) {
      count += 1;
      yield record as string[];
    }
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new ExhibitError(
      "usage.invalid",
      `${name}: row ${count + 1} cannot be read: a quote is opened and not closed as CSV has it.`,
      { hint: 'Quotes inside a quoted cell are written twice: "he said ""help""".', cause },
    );
  }
}

async function* rowsOf(
  records: AsyncGenerator<string[]>,
  { places, width }: Header,
): AsyncGenerator<Row> {
  let number = 1;
  for await (const record of records) {
    number += 1;
    const trimmed = record.map((cell) => cell.trim());
    if (trimmed.every((cell) => cell === "")) continue;
    const cells = new Map<Column, string>();
    for (const [column, place] of places) {
      const cell = trimmed[place];
      if (cell !== undefined && cell !== "") cells.set(column, cell);
    }
    const isTooLong = trimmed.slice(width).some((cell) => cell !== "");
    yield { number, cells, isTooLong };
  }
}
