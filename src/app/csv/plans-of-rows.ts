import path from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Source, SourceEntry } from "../../evidence/ports/source.ts";
import type { ExhibitPlan } from "../../evidence/ports/upload-queue.ts";
import { planOf } from "../exhibit-plan.ts";
import type { Failure, OutcomeRow } from "../deps.ts";
import { outcomeRow } from "../upload-outcome.ts";
import type { UploadRequest } from "../upload-request.ts";
import { readRow, type RowAsks, type Wrong } from "./row-asks.ts";
import { readList, type List, type Row } from "./rows.ts";

/** A row with the plan of its exhibit, or all that is wrong with it. */
export type PlannedRow =
  | { readonly number: number; readonly asks: RowAsks; readonly plan: ExhibitPlan }
  | {
      readonly number: number;
      readonly wrong: readonly Wrong[];
      /** What could be told of it all the same. */
      readonly row?: OutcomeRow;
    };

/** Files that are looked for together: the system, or a share, answers several questions in the time of one. */
const rowsAtOnce = 32;

/**
 * Reads the list that a request is about, and looks for its files. A file below the list's folder is recorded by its path from there, another by its
 * name. Each row gives exactly one exhibit of one file.
 *
 * @throws ExhibitError as `readList`
 */
export async function readPlans<Result>(
  source: Source,
  request: UploadRequest,
  signal: AbortSignal,
  use: (list: Omit<List, "rows">, plans: AsyncIterable<PlannedRow>) => Promise<Result>,
): Promise<Result> {
  const [location = ""] = request.paths;
  const { columns = {}, timeZone = "UTC" } = request.rows ?? {};
  const rules = { case: request.case, timeZone, folder: path.dirname(location) };
  const planned = async (row: Row): Promise<PlannedRow> => {
    const read = readRow(row, rules);
    if ("wrong" in read) return { number: row.number, wrong: read.wrong };
    return {
      number: row.number,
      ...(await fileOfRow(source, read.asks, row.number, rules.folder)),
    };
  };
  return readList(source, location, columns, ({ rows, ...list }) => {
    async function* plans(): AsyncGenerator<PlannedRow> {
      let some: Row[] = [];
      for await (const row of rows) {
        signal.throwIfAborted();
        some.push(row);
        if (some.length < rowsAtOnce) continue;
        yield* await Promise.all(some.map(planned));
        some = [];
      }
      yield* await Promise.all(some.map(planned));
    }
    return use(list, plans());
  });
}

async function fileOfRow(
  source: Source,
  asks: RowAsks,
  number: number,
  folder: string,
): Promise<{ asks: RowAsks; plan: ExhibitPlan } | { wrong: readonly Wrong[]; row: OutcomeRow }> {
  const { location, file, sourceId, said } = asks;
  const row = { number, file };
  try {
    const entry = below(folder, location, await fileAt(source, location, file));
    const plan = planOf(entry.path, [entry], sourceId, { said, row });
    return { asks, plan };
  } catch (error) {
    if (!(error instanceof ExhibitError)) throw error;
    return { wrong: [{ column: "file", message: error.message }], row: outcomeRow(row, said) };
  }
}

/** The one file at a place. @throws ExhibitError `not-found.source`, `unavailable.source`, `usage.invalid` for what is none */
async function fileAt(source: Source, location: string, file: string): Promise<SourceEntry> {
  let why = "an empty folder";
  const watcher = {
    skipped: ({ reason }: { reason: string }) => {
      why = reason;
    },
    unlisted: ({ error }: { error: ExhibitError }) => {
      throw error;
    },
  };
  for await (const entry of source.list(location, watcher)) {
    if (!entry.path.includes("/")) return entry;
    why = "a folder, and a row is about one file";
    break;
  }
  throw new ExhibitError("usage.invalid", `${file} is ${why}.`);
}

function below(folder: string, location: string, entry: SourceEntry): SourceEntry {
  const relative = path.relative(folder, location);
  if (relative.startsWith("..") || path.isAbsolute(relative) || location.startsWith("s3://")) {
    return entry;
  }
  const folders = path.dirname(relative).split(path.sep).join("/");
  if (folders === "." || entry.pathBytes !== undefined) return entry;
  return { ...entry, path: `${folders}/${entry.path}` };
}

/** What is said of a row that was right when it was checked, and is not any more: its file has gone meanwhile. */
export function failureOfRow({
  number,
  wrong,
  row,
}: Extract<PlannedRow, { wrong: unknown }>): Failure {
  const message = wrong.map((one) => one.message).join(" ");
  return {
    path: row?.file ?? `row ${number}`,
    code: "integrity.source-changed",
    message: `It was there when the list was checked: ${message}`,
    hint: "Run the same command again: what has arrived is found again.",
    ...(row === undefined ? {} : { row }),
  };
}

/** @throws ExhibitError `integrity.source-changed` where a list is not what it was when it was checked */
export function requireSameList(
  list: Pick<List, "version">,
  version: string,
  { paths }: UploadRequest,
): void {
  if (list.version === version) return;
  throw new ExhibitError(
    "integrity.source-changed",
    `${path.basename(paths[0] ?? "")} has changed since it was checked.`,
    { hint: "Nothing more was sent. Run the same command again." },
  );
}
