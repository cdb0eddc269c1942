import { verify } from "../../app/verify.ts";
import type { VerifiedFile } from "../../app/verify-exhibit.ts";
import { formatAddress } from "../../evidence/address.ts";
import { ExhibitError } from "../../evidence/errors.ts";
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

const checks: Readonly<Record<VerifiedFile["checkedBy"], string>> = {
  "re-read": "re-read",
  "store-digest": "store digest",
};

/** `exhibit verify EXHIBIT`, or a sample of many. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const [exhibit] = typed.args as readonly [string | undefined];
  const isSample = typed.options["sample"] !== undefined;
  if (!isSample) requireNoneOfSample(typed);
  if (exhibit !== undefined && !isSample) return verifyOne(context, typed, exhibit);
  if (exhibit === undefined && isSample) {
    const { verifyMany } = await import("./verify-sample.ts");
    return verifyMany(context, typed);
  }
  throw new ExhibitError(
    "usage.invalid",
    isSample ? "--sample takes no exhibit." : "No exhibit is named, and no sample.",
    {
      hint: "Name one exhibit, or give --sample 2% for a part of a case (--case) or of the whole store.",
    },
  );
}

function requireNoneOfSample({ options }: Typed): void {
  const name = ["seed", "case", "report"].find((option) => options[option] !== undefined);
  if (name === undefined) return;
  throw new ExhibitError("usage.invalid", `--${name} belongs to --sample.`, {
    hint: "Give --sample, such as --sample 2%, or leave it out.",
  });
}

async function verifyOne(context: Context, typed: Typed, exhibit: string): Promise<number> {
  const { terminal } = context;
  const json = wantsJson(typed);
  const deep = typed.options["deep"] === true;
  const result = await withTransfer(context, typed, "Checking", (client, settings) =>
    verify(client, { ...atStore(settings), exhibit, deep }, context.signal),
  );
  printResult(terminal, json, { schema: "exhibit.verify/1", ...result }, (theme) =>
    result.files.map(({ expected, outcome, checkedBy, path }) => {
      const color = outcome === "matches" ? theme.good : theme.bad;
      return `${expected}  ${color(words[outcome])}  ${checks[checkedBy]}  ${visible(path)}`;
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
    terminal.error.write(`${[...lines, ...howChecked(result.files)].join("\n")}\n`);
  }
  return failure === undefined ? 0 : exitCodeOf(failure.code);
}

/** What the check did not do is said as plainly as what it found. */
function howChecked(files: readonly VerifiedFile[]): string[] {
  const told = files.filter(({ checkedBy }) => checkedBy === "store-digest").length;
  if (told === 0) return [];
  const which =
    told === files.length
      ? "No byte was read again"
      : `${told} of ${files.length} files were not read again`;
  return [
    `  ${which}: their size, version and digest are what the store says they are. exhibit verify --deep reads every byte.`,
  ];
}
