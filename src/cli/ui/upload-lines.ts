import type { UploadResult } from "../../app/upload.ts";
import { formatAddress } from "../../evidence/address.ts";
import { formatSize } from "../../evidence/quantities.ts";
import { failureLines } from "./failure-lines.ts";
import type { Terminal } from "./terminal.ts";
import { themeFor } from "./theme.ts";
import { visible } from "./visible.ts";

/** How an upload's result is told. */
export const uploadLines = {
  /** For stdout: `<sha256>  <address>  <path>` a file, as `sha256sum` would. */
  output(result: UploadResult): string[] {
    return result.exhibits.flatMap((exhibit) =>
      exhibit.contents.map(
        ({ sha256, path }) => `${sha256}  ${formatAddress(exhibit)}  ${visible(path)}`,
      ),
    );
  },

  /** For stderr: what became of each exhibit, what was not sent, and what failed. */
  summary(terminal: Terminal, result: UploadResult): string {
    const theme = themeFor(terminal.color);
    const lines: string[] = [];
    const few = result.exhibits.slice(0, 20);
    for (const exhibit of few) {
      const weakest = exhibit.receipt.files.map(({ proof }) => proof);
      const size = formatSize(exhibit.bytesSent);
      const how =
        exhibit.outcome === "already-present"
          ? "was there already, unchanged"
          : `stored and proved (${[...new Set(weakest)].join(", ")}), ${size} sent${exhibit.bytesSkipped > 0 ? `, ${formatSize(exhibit.bytesSkipped)} had arrived before` : ""}`;
      lines.push(`${theme.good("✔")} ${theme.strong(formatAddress(exhibit))}  ${how}`);
      lines.push(theme.quiet(`  receipt: ${visible(exhibit.receiptPath)}`));
    }
    const more = result.exhibits.length - few.length;
    if (more > 0) lines.push(`  and ${more} more exhibits.`);
    for (const { path, reason } of result.skipped) {
      lines.push(`${theme.warning("not sent:")} ${visible(path)}: ${visible(reason)}`);
    }
    lines.push(...failureLines(terminal, result.failed));
    if (result.exhibits.length === 0 && result.failed.length === 0) lines.push("Nothing to send.");
    return lines.map((line) => `${line}\n`).join("");
  },
};
