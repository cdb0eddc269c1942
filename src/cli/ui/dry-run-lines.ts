import type { DryRunResult, Foreseen } from "../../app/dry-run.ts";
import { counted, formatSize } from "../../evidence/quantities.ts";
import { unusedLine } from "./row-lines.ts";
import { failureLines } from "./failure-lines.ts";
import type { Terminal } from "./terminal.ts";
import { themeFor } from "./theme.ts";
import { visible } from "./visible.ts";

/** How it is told what an upload would do. */
export const dryRunLines = {
  /** For stdout: a line an exhibit, `<what>  <bytes>  <path>`. */
  *output({ exhibits }: DryRunResult): Generator<string> {
    for (const one of exhibits) yield `${what(one)}  ${one.bytes}  ${visible(one.path)}`;
  },

  /** For stderr: what would fail or be left out, and the sum. */
  *summary(terminal: Terminal, result: DryRunResult): Generator<string> {
    const { exhibits, failed, skipped, unusedColumns, bytesToSend, store } = result;
    const theme = themeFor(terminal.color);
    for (const { path, reason } of skipped) {
      yield `${theme.warning("would not be sent:")} ${visible(path)}: ${visible(reason)}`;
    }
    yield* failureLines(terminal, failed);
    if (unusedColumns !== undefined) yield unusedLine(unusedColumns);
    yield `${counted(exhibits.count, "exhibit")} to ${store}, ${formatSize(bytesToSend)} to send. Nothing was sent: this was a dry run.`;
  },
};

function what({ action, exhibit = "", heldBytes }: Foreseen): string {
  switch (action) {
    case "send":
      return "new";
    case "go-on":
      return `goes on as ${exhibit} (${heldBytes} there)`;
    case "compare":
      return `there as ${exhibit}`;
  }
}
