import path from "node:path";
import type { z } from "zod";
import { caseSchema } from "../../evidence/case.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Said } from "../../evidence/ports/upload-queue.ts";
import { recordSchema } from "../../evidence/record.ts";
import { referenceSchema } from "../../evidence/reference.ts";
import { spreadsheetInstant } from "../../evidence/spreadsheet-time.ts";
import type { Column } from "./columns.ts";
import type { Row } from "./rows.ts";

/** What a row asks for. */
export interface RowAsks {
  /** Where its file is. */
  readonly location: string;
  /** The file as the row has it. */
  readonly file: string;
  readonly sourceId: string | undefined;
  readonly said: Said;
}

/** Something in a row that is not right. */
export interface Wrong {
  /** Left out where it is about the row as a whole. */
  readonly column?: Column;
  readonly message: string;
}

/** What rows are read by: what the command says of all of them, and where it finds their files. */
export interface RowRules {
  readonly case: string | undefined;
  /** Something else may name the case. */
  readonly mayLackCase?: boolean;
  readonly timeZone: string;
  /** Relative paths are below it. */
  readonly folder: string;
}

const fields = recordSchema.shape;

/** What a row asks for, as far as one can tell without looking for its file; or all that is wrong with it. */
export function readRow(
  { cells, isTooLong }: Row,
  rules: RowRules,
): { readonly asks: RowAsks } | { readonly wrong: readonly Wrong[] } {
  const wrong: Wrong[] = [];
  const taken = <Value>(column: Column, take: (cell: string) => Value): Value | undefined => {
    const cell = cells.get(column);
    if (cell === undefined) return undefined;
    try {
      return take(cell);
    } catch (error) {
      if (!(error instanceof ExhibitError)) throw error;
      const { message, hint } = error;
      wrong.push({ column, message: hint === undefined ? message : `${message} ${hint}` });
      return undefined;
    }
  };
  const field = <Value>(column: Column, schema: z.ZodType<Value>): Value | undefined =>
    taken(column, (cell) => {
      const parsed = schema.safeParse(cell);
      if (parsed.success) return parsed.data;
      const why = parsed.error.issues[0]?.message ?? "is not right";
      throw new ExhibitError("usage.invalid", `${column} "${cell}" ${why}.`);
    });
  if (isTooLong) {
    wrong.push({
      message:
        "The row has more cells than there are columns: a cell that holds the separator needs quotes.",
    });
  }
  const file = cells.get("file");
  if (file === undefined) wrong.push({ column: "file", message: "file is empty." });
  const caseRef = field("case", caseSchema) ?? rules.case;
  const needsCase = caseRef === undefined && rules.mayLackCase !== true;
  if (needsCase && !cells.has("case")) {
    wrong.push({ column: "case", message: "case is empty, and --case says none for all." });
  }
  const said = {
    reference: field("reference", referenceSchema),
    title: field("title", fields.title),
    producer: field("producer", fields.producer),
    oic: field("oic", fields.oic),
    source: somethingOf({
      camera: field("camera", fields.title),
      recorder: field("recorder", fields.title),
      system: field("system", fields.title),
    }),
    recorded: recordedIn(taken, rules.timeZone, wrong),
    clockOffset: clockOffsetIn(cells, wrong),
  };
  const sourceId = field("source-id", fields.sourceId);
  if (wrong.length > 0 || file === undefined) return { wrong };
  const location = file.startsWith("s3://") ? file : path.resolve(rules.folder, file);
  return {
    asks: { location, file, sourceId, said: somethingOf({ ...said, case: caseRef }) ?? {} },
  };
}

function recordedIn(
  taken: (column: Column, take: (cell: string) => string) => string | undefined,
  timeZone: string,
  wrong: Wrong[],
): Said["recorded"] {
  const time = (column: Column): string | undefined =>
    taken(column, (cell) => spreadsheetInstant(cell, timeZone, column));
  const from = time("recorded-from");
  const to = time("recorded-to");
  if (from === undefined && to === undefined) return undefined;
  if (from !== undefined && to !== undefined && Date.parse(to) < Date.parse(from)) {
    const message = `recorded-to (understood as ${to}) is before recorded-from (${from}).`;
    wrong.push({ column: "recorded-to", message });
  }
  return { ...somethingOf({ from, to }), timeZone };
}

function clockOffsetIn(cells: Row["cells"], wrong: Wrong[]): Said["clockOffset"] {
  const seconds = cells.get("clock-offset");
  const measuredBy = cells.get("clock-measured-by");
  if (seconds === undefined && measuredBy === undefined) return undefined;
  if (seconds === undefined || measuredBy === undefined) {
    const column = seconds === undefined ? "clock-offset" : "clock-measured-by";
    wrong.push({ column, message: "clock-offset and clock-measured-by go together." });
    return undefined;
  }
  if (/^[+-]?\d{1,9}(?:[.,]\d{1,3})?$/.test(seconds)) {
    return { seconds: Number(seconds.replace(",", ".")), measuredBy };
  }
  const message = `clock-offset "${seconds}" must be a number of seconds, such as 12.5 or -40.`;
  wrong.push({ column: "clock-offset", message });
  return undefined;
}

type Something<Facts> = { [Name in keyof Facts]?: Exclude<Facts[Name], undefined> };

/** The members that have a value; undefined where none has. */
function somethingOf<Facts extends object>(facts: Facts): Something<Facts> | undefined {
  const there = Object.entries(facts).filter(([, value]) => value !== undefined);
  return there.length === 0 ? undefined : (Object.fromEntries(there) as Something<Facts>);
}
