import path from "node:path";
import { verifyReceipt } from "../../app/verify-receipt.ts";
import { formatAddress } from "../../evidence/address.ts";
import { counted } from "../../evidence/quantities.ts";
import type { Context } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { wantsJson, withTransfer } from "../given.ts";
import type { Typed } from "../input.ts";
import { failureLines } from "../ui/failure-lines.ts";
import { keptLines } from "../ui/kept-words.ts";
import { printResult, toTheSecond } from "../ui/result.ts";
import { themeFor } from "../ui/theme.ts";
import { visible } from "../ui/visible.ts";

/** `exhibit receipt verify RECEIPT FILE...`. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const { terminal } = context;
  const json = wantsJson(typed);
  const key = typed.options["key"] as string | undefined;
  const request = {
    receipt: path.resolve(String(typed.args[0])),
    files: (typed.args[1] as readonly string[]).map((file) => path.resolve(file)),
    ...(key === undefined ? {} : { key }),
  };
  const result = await withTransfer(context, typed, "Reading", (client) =>
    verifyReceipt(client, request, context.signal),
  );
  printResult(terminal, json, { schema: "exhibit.receipt-check/1", ...result }, (theme) =>
    result.files.map((file) => {
      const word = file.key === undefined ? theme.bad("NOT IN RECEIPT") : theme.good("OK");
      return `${file.sha256}  ${word}  ${visible(file.path)}`;
    }),
  );
  const [failure] = result.failed;
  if (!json) {
    const theme = themeFor(terminal.color);
    const { receipt, signedBy, notChecked } = result;
    const lines = [
      `${theme.good("✔")} ${theme.strong(formatAddress(receipt))}  the receipt of ${toTheSecond(receipt.receivedAt)} is genuine, signed by ${visible(signedBy)}`,
      ...[...keptLines(receipt)].map((line) => theme.quiet(`  ${visible(line)}`)),
      ...(notChecked.length === 0
        ? []
        : [
            `  ${notChecked.length} of its ${counted(receipt.files.length, "file")} ${notChecked.length === 1 ? "was" : "were"} not among those given, and not checked`,
          ]),
      ...failureLines(terminal, result.failed),
    ];
    terminal.error.write(`${lines.join("\n")}\n`);
  }
  return failure === undefined ? 0 : exitCodeOf(failure.code);
}
