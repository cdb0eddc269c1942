import type { UploadedExhibit, UploadResult } from "../../app/upload.ts";
import { formatAddress } from "../../evidence/address.ts";
import { formatSize } from "../../evidence/quantities.ts";
import { failureLines } from "./failure-lines.ts";
import type { Terminal } from "./terminal.ts";
import { themeFor, type Theme } from "./theme.ts";
import { visible } from "./visible.ts";

/** More exhibits than this are not told one by one on stderr. */
const few = 20;

/** How an upload's result is told. */
export const uploadLines = {
  /** For stdout: `<sha256>  <address>  <path>` a file, as `sha256sum` would. */
  *output({ exhibits }: Pick<UploadResult, "exhibits">): Generator<string> {
    for (const exhibit of exhibits) {
      for (const { sha256, path } of exhibit.contents) {
        yield `${sha256}  ${formatAddress(exhibit)}  ${visible(path)}`;
      }
    }
  },

  /** For stderr: what became of each exhibit, what was not sent, and what failed. */
  *summary(terminal: Terminal, result: UploadResult): Generator<string> {
    const theme = themeFor(terminal.color);
    const { exhibits, failed, skipped } = result;
    let told = 0;
    for (const exhibit of exhibits) {
      if (told === few) break;
      told += 1;
      yield* linesOf(exhibit, theme);
    }
    if (exhibits.count > told) yield `  and ${exhibits.count - told} more exhibits.`;
    for (const { path, reason } of skipped) {
      yield `${theme.warning("not sent:")} ${visible(path)}: ${visible(reason)}`;
    }
    yield* failureLines(terminal, failed);
    if (exhibits.count === 0 && failed.count === 0) yield "Nothing to send.";
  },
};

function* linesOf(exhibit: UploadedExhibit, theme: Theme): Generator<string> {
  const proofs = new Set(exhibit.receipt.files.map(({ proof }) => proof));
  const before =
    exhibit.bytesSkipped > 0 ? `, ${formatSize(exhibit.bytesSkipped)} had arrived before` : "";
  const how =
    exhibit.outcome === "already-present"
      ? "was there already, unchanged"
      : `stored and proved (${[...proofs].join(", ")}), ${formatSize(exhibit.bytesSent)} sent${before}`;
  yield `${theme.good("✔")} ${theme.strong(formatAddress(exhibit))}  ${how}`;
  const retained = retentionOf(exhibit);
  if (retained !== undefined) yield `  ${retained}`;
  yield theme.quiet(`  receipt: ${visible(exhibit.receiptPath)}`);
}

/** What is true of every object of an exhibit that the store was asked to retain. */
function retentionOf({ retained = [] }: UploadedExhibit): string | undefined {
  const [first] = retained
    .flatMap(({ period }) => (period === undefined ? [] : [period]))
    .sort((a, b) => a.until.localeCompare(b.until));
  const everyHeld = retained.every(({ legalHold }) => legalHold);
  const words = [
    ...(first === undefined ? [] : [`until ${first.until} (${first.mode})`]),
    ...(everyHeld ? ["until its legal hold is lifted"] : []),
  ];
  return retained.length === 0 ? undefined : `retained ${words.join(" and ")}: read back`;
}
