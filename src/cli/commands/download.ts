import path from "node:path";
import { download } from "../../app/download.ts";
import { formatAddress } from "../../evidence/address.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { exitCodeOfMany } from "../exit.ts";
import { wantsJson, withTransfer } from "../given.ts";
import { missing, type Typed } from "../input.ts";
import { interruptionOf } from "../interrupted.ts";
import { printResult } from "../ui/result.ts";
import { failureLines } from "../ui/failure-lines.ts";
import { themeFor } from "../ui/theme.ts";
import { visible } from "../ui/visible.ts";

/** `exhibit download EXHIBIT`, and with `--tar` whole cases. */
export async function run(context: Context, typed: Typed): Promise<number> {
  if (typed.options["tar"] !== undefined) {
    return (await import("./download-tar.ts")).run(context, typed);
  }
  const { terminal, signal } = context;
  const json = wantsJson(typed);
  const exhibit = oneExhibit(typed);
  const to = path.resolve((typed.options["to"] as string | undefined) ?? folderFor(exhibit));
  const result = await withTransfer(context, typed, "Fetching", async (client, settings) => {
    try {
      return await download(client, { ...atStore(settings), exhibit, to }, signal);
    } catch (error) {
      throw (
        interruptionOf(
          signal,
          "What was fetched is kept; the same command goes on with the rest.",
        ) ?? error
      );
    }
  });
  printResult(terminal, json, { schema: "exhibit.download/1", ...result }, () =>
    result.files.map(({ sha256, name }) => `${sha256}  ${visible(path.join(result.folder, name))}`),
  );
  if (!json) {
    const theme = themeFor(terminal.color);
    const whole = result.failed.length === 0;
    const lines = [
      ...failureLines(terminal, result.failed),
      whole
        ? `${theme.good("✔")} ${theme.strong(formatAddress(result))}  every file is what the signed record says`
        : `${theme.bad("✘")} ${formatAddress(result)}  ${result.failed.length} of ${result.failed.length + result.files.length} files failed`,
      theme.quiet(
        `  record and receipt: ${visible(result.recordPath)}, ${visible(result.receiptPath)}`,
      ),
    ];
    terminal.error.write(`${lines.join("\n")}\n`);
  }
  return exitCodeOfMany(result.files.length, result.failed);
}

/** A folder of its own in the current one, named after the exhibit. */
function folderFor(exhibit: string): string {
  return exhibit.trim().replace(/[^A-Za-z0-9.-]+/g, "_");
}

/** @throws ExhibitError `usage.missing`, `usage.invalid`: a whole case comes as an archive only */
function oneExhibit({ args, options }: Typed): string {
  if (options["case"] !== undefined) {
    throw new ExhibitError("usage.invalid", "A whole case is fetched as one archive.", {
      hint: "Add --tar FILE, or --tar - for standard output. One exhibit is named CASE:ABC/1, without --case.",
    });
  }
  if (args[0] === undefined) throw missing("The exhibit to fetch");
  return args[0] as string;
}
