import type { CheckedList, WrongRows } from "../../app/csv/check-rows.ts";
import type { OnOutcome, UploadResult } from "../../app/upload.ts";
import { formatAddress } from "../../evidence/address.ts";
import { counted } from "../../evidence/quantities.ts";
import { failureLines } from "./failure-lines.ts";
import { note } from "./result.ts";
import type { Terminal } from "./terminal.ts";
import { themeFor } from "./theme.ts";
import { visible } from "./visible.ts";

type Outcome = Parameters<OnOutcome>[0];
type Told = Exclude<Outcome, { type: "skipped" }>;

/**
 * How an upload by a list is told: a line a row on stdout in the order in which the rows are done, which need not be theirs. With
 * `json` it is one `exhibit.upload-row/1` a line (docs/formats/upload-csv.md).
 */
export class RowLines {
  readonly #terminal: Terminal;
  readonly #json: boolean;
  /** Where bars are drawn over the same terminal, lines would tear them: they come at the end. */
  readonly #isLater: boolean;
  #uploaded = 0;

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.#json = json;
    this.#isLater = !json && terminal.live;
  }

  list({ unused }: CheckedList): void {
    if (unused.length === 0) return;
    note(this.#terminal, this.#json, unusedLine(unused));
  }

  outcome(outcome: Outcome): void {
    if (outcome.type === "skipped") return;
    if (outcome.type === "exhibit" && outcome.outcome === "uploaded") this.#uploaded += 1;
    if (!this.#isLater) this.#write(outcome);
  }

  #write(outcome: Told): void {
    const { output, error } = this.#terminal;
    if (this.#json) {
      output.write(`${JSON.stringify(documentOf(outcome))}\n`);
    } else if (outcome.type === "exhibit") {
      const [content] = outcome.contents;
      const name = outcome.row?.file ?? content?.path ?? "";
      output.write(`${content?.sha256 ?? ""}  ${formatAddress(outcome)}  ${visible(name)}\n`);
    } else {
      const path =
        outcome.row === undefined ? outcome.path : `row ${outcome.row.number}, ${outcome.row.file}`;
      for (const line of failureLines(this.#terminal, [{ ...outcome, path }]))
        error.write(`${line}\n`);
    }
  }

  /** Every wrong row that is told one by one; what is wrong with all is the error's. */
  wrong({ rows, count }: WrongRows): void {
    const { error, color } = this.#terminal;
    const theme = themeFor(color);
    for (const { row, column, message } of rows) {
      error.write(
        this.#json
          ? `${JSON.stringify({ type: "wrong-row", row, column, message })}\n`
          : `${theme.bad(`row ${row}:`)} ${visible(message)}\n`,
      );
    }
    const more = count - new Set(rows.map(({ row }) => row)).size;
    if (more > 0 && !this.#json) error.write(`and ${more} more rows.\n`);
  }

  /** Once no bar is drawn any more. */
  end({ exhibits, failed }: UploadResult): void {
    if (this.#isLater) {
      for (const exhibit of exhibits) this.#write({ type: "exhibit", ...exhibit });
      for (const failure of failed) this.#write({ type: "failed", ...failure });
    }
    const rows = exhibits.count + failed.count;
    note(
      this.#terminal,
      this.#json,
      rows === 0
        ? "The list has no rows: there is nothing to send."
        : `${counted(rows, "row")}: ${this.#uploaded} sent, ${exhibits.count - this.#uploaded} already present, ${failed.count} failed.`,
    );
  }
}

/** Columns that mean nothing to us: one of ours may be among them, spelt otherwise. */
export function unusedLine(columns: readonly string[]): string {
  return `Columns of the list that are not used: ${columns.map(visible).join(", ")}.`;
}

function documentOf(outcome: Told): object {
  const { row } = outcome;
  const about = {
    schema: "exhibit.upload-row/1",
    row: row?.number,
    file: row?.file ?? ("path" in outcome ? outcome.path : undefined),
  };
  if (outcome.type === "failed") {
    const { code, message, hint } = outcome;
    const { case: caseRef, reference } = row ?? {};
    return { ...about, case: caseRef, reference, state: "failed", code, message, hint };
  }
  const { id, case: caseRef, reference, contents, receiptPath, outcome: state } = outcome;
  const sha256 = contents[0]?.sha256;
  return { ...about, case: caseRef, reference, state, id, sha256, receipt: receiptPath };
}
