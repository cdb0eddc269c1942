import { verify, type VerifiedFile } from "../../app/verify.ts";
import { formatAddress } from "../../evidence/address.ts";
import { atStore } from "../at-store.ts";
import type { Context } from "../context.ts";
import { exitCodeOf } from "../exit.ts";
import { wantsJson, withTransfer } from "../given.ts";
import type { Typed } from "../input.ts";
import { failureLines } from "../ui/failure-lines.ts";
import { printResult } from "../ui/result.ts";
import { themeFor } from "../ui/theme.ts";
import { visible } from "../ui/visible.ts";

const words: Readonly<Record<VerifiedFile["outcome"], string>> = {
  matches: "OK",
  differs: "DIFFERS",
  missing: "MISSING",
  unreadable: "UNREADABLE",
};

/** `exhibit verify EXHIBIT`. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const { terminal } = context;
  const json = wantsJson(typed);
  const exhibit = String(typed.args[0]);
  const result = await withTransfer(context, typed, "Reading", (client, settings) =>
    verify(client, { ...atStore(settings), exhibit }, context.signal),
  );
  printResult(terminal, json, { schema: "exhibit.verify/1", ...result }, (theme) =>
    result.files.map(({ expected, outcome, path }) => {
      const color = outcome === "matches" ? theme.good : theme.bad;
      return `${expected}  ${color(words[outcome])}  ${visible(path)}`;
    }),
  );
  const [failure] = result.failed;
  if (!json) {
    const theme = themeFor(terminal.color);
    const lines =
      failure === undefined
        ? [
            `${theme.good("✔")} ${theme.strong(formatAddress(result))}  the store holds what the signed record says; custody log whole, ${result.custodyLines} lines`,
          ]
        : [...failureLines(terminal, result.failed)];
    terminal.error.write(`${lines.join("\n")}\n`);
  }
  return failure === undefined ? 0 : exitCodeOf(failure.code);
}
