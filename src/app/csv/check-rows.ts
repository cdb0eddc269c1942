import path from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Seen } from "../../evidence/ports/seen.ts";
import { counted } from "../../evidence/quantities.ts";
import type { Deps } from "../deps.ts";
import type { UploadRequest } from "../upload-request.ts";
import type { Column } from "./columns.ts";
import { readPlans, type PlannedRow } from "./plans-of-rows.ts";
import type { Wrong } from "./row-asks.ts";

/** So many wrong rows are told one by one. */
const mostTold = 20;

/** A row that cannot be uploaded as it is. */
export interface WrongRow {
  readonly row: number;
  readonly column?: Column;
  readonly message: string;
}

/** Rows of a list are wrong, and nothing was sent: the first of them, and how many there are. */
export class WrongRows extends ExhibitError {
  readonly rows: readonly WrongRow[];
  readonly count: number;

  constructor(name: string, rows: readonly WrongRow[], count: number) {
    const [first] = rows;
    const which = first === undefined ? "" : ` The first is row ${first.row}: ${first.message}`;
    super(
      "usage.invalid",
      `${counted(count, "row")} of ${name} cannot be sent as ${count === 1 ? "it is" : "they are"}, so nothing was sent.${which}`,
      {
        hint: "Put them right, or take them out, then run the same command again.",
        facts: { wrongRows: count },
      },
    );
    this.rows = rows;
    this.count = count;
  }
}

/** What is known of a list once all of it was found right. */
export interface CheckedList {
  readonly rows: number;
  /** The first row that leaves its reference to the store. */
  readonly firstWithoutReference: number | undefined;
  /** Names of columns that mean nothing to us. */
  readonly unused: readonly string[];
  /** Of the list's file when it was checked. */
  readonly version: string;
}

/**
 * Checks every row of a list before anything is sent: its cells, that its file is there, and that no row asks for what another does.
 * A file may be in several rows only for several cases; a reference once a case; a source id for one file.
 *
 * @throws WrongRows; ExhibitError as `readList`
 */
export async function checkRows(
  { source, queues }: Pick<Deps, "source" | "queues">,
  request: UploadRequest,
  signal: AbortSignal,
): Promise<CheckedList> {
  const [location = ""] = request.paths;
  const seen = queues.seen();
  try {
    return await readPlans(source, request, signal, async ({ header, version }, plans) => {
      const wrong: WrongRow[] = [];
      let wrongRows = 0;
      let rows = 0;
      let firstWithoutReference: number | undefined;
      for await (const planned of plans) {
        rows += 1;
        const { number } = planned;
        if ("asks" in planned && planned.asks.said.reference === undefined) {
          firstWithoutReference ??= number;
        }
        const found = "wrong" in planned ? planned.wrong : twins(planned, seen);
        if (found.length === 0) continue;
        wrongRows += 1;
        if (wrongRows > mostTold) continue;
        wrong.push(...found.map((one) => ({ row: number, ...one })));
      }
      if (wrongRows > 0) throw new WrongRows(path.basename(location), wrong, wrongRows);
      return { rows, firstWithoutReference, unused: header.unused, version };
    });
  } finally {
    seen.close();
  }
}

/** What a row has that an earlier one had. */
function twins(
  { number, asks, plan }: Extract<PlannedRow, { plan: unknown }>,
  seen: Seen,
): readonly Wrong[] {
  const { location, sourceId, said } = asks;
  const { case: caseRef = "" } = said;
  const wrong: Wrong[] = [];
  const note = (name: string, about = ""): { row: string; about: string } | undefined => {
    const before = seen.note(name, `${number} ${about}`);
    if (before === undefined) return undefined;
    const end = before.indexOf(" ");
    return { row: before.slice(0, end), about: before.slice(end + 1) };
  };
  const file = note(`file ${caseRef}\n${location}`);
  if (file !== undefined) {
    const message = `the file is in row ${file.row} already, for the same case.`;
    wrong.push({ column: "file", message });
  }
  if (said.reference !== undefined) {
    const reference = note(`reference ${caseRef}\n${said.reference}`);
    if (reference !== undefined) {
      const message = `reference ${said.reference} is used in row ${reference.row} already.`;
      wrong.push({ column: "reference", message });
    }
  }
  const id = note(
    `source ${sourceId === undefined ? `${caseRef}\n` : ""}${plan.sourceId}`,
    location,
  );
  if (id !== undefined && id.about !== location) {
    wrong.push(
      sourceId === undefined
        ? {
            column: "file",
            message: `the file has the same name, size and time as that of row ${id.row}; give both a source-id.`,
          }
        : {
            column: "source-id",
            message: `source-id ${sourceId} is that of another file in row ${id.row} already.`,
          },
    );
  }
  return wrong;
}
