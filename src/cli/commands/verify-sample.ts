import { verifySample, type VerifySampleResult } from "../../app/verify-sample.ts";
import { caseSchema } from "../../evidence/case.ts";
import { ExhibitError, familyOf } from "../../evidence/errors.ts";
import { formatSize } from "../../evidence/quantities.ts";
import { parsePercent } from "../../evidence/sample.ts";
import { atStore } from "../at-store.ts";
import type { Client, Context, Settings } from "../context.ts";
import { exitCodeOf, exitCodeOfMany } from "../exit.ts";
import { wantsJson, withTransfer } from "../given.ts";
import { stoppable } from "../interrupted.ts";
import { checkedFlag, type Typed } from "../input.ts";
import { openSampleReport, seedOfChance, type SampleReport } from "../sample-report.ts";
import { failureLines } from "../ui/failure-lines.ts";
import { printResult } from "../ui/result.ts";
import { themeFor } from "../ui/theme.ts";

const howToGoOn = "The same command with the same --report goes on with what is left.";

/** `exhibit verify --sample PERCENT`. */
export async function verifyMany(context: Context, typed: Typed): Promise<number> {
  const json = wantsJson(typed);
  const { options } = typed;
  const percent = parsePercent(String(options["sample"]), "--sample");
  const seed = seedOf(options["seed"] as string | undefined);
  const caseRef =
    options["case"] === undefined ? undefined : checkedFlag(caseSchema, options["case"], "--case");
  const scope = caseRef === undefined ? {} : { case: caseRef };
  const result = await withTransfer(context, typed, "Reading", async (client, settings) => {
    const report = await reportFor(client, settings, typed, { percent, seed, ...scope });
    try {
      const sample = { percent, seed: report.seed };
      return await stoppable(context.signal, howToGoOn, () =>
        verifySample(client, { ...atStore(settings), ...scope, sample }, report, context.signal),
      );
    } finally {
      report.close();
    }
  });
  printResult(context.terminal, json, { schema: "exhibit.verify-sample/1", ...result }, () => []);
  if (!json) context.terminal.error.write(summaryOf(context, result));
  return exitCodeFor(result);
}

/** Damage is what such a check looks for: however much is well, it is told as damage. */
function exitCodeFor({ chosen, bad, failed }: VerifySampleResult): number {
  const damage = failed.find(({ code }) => familyOf(code) === "integrity");
  return damage === undefined ? exitCodeOfMany(chosen - bad, failed) : exitCodeOf(damage.code);
}

async function reportFor(
  client: Client,
  settings: Settings,
  { options }: Typed,
  sampling: { readonly percent: number; readonly seed: number | undefined; readonly case?: string },
): Promise<SampleReport> {
  const file = options["report"] as string | undefined;
  const { url: store } = await client.locate(settings.store);
  if (file !== undefined) return openSampleReport(file, { store, ...sampling });
  const seed = sampling.seed ?? seedOfChance();
  return { seed, found: new Map(), onChecked: () => undefined, close: () => undefined };
}

function seedOf(text: string | undefined): number | undefined {
  if (text === undefined || /^\d{1,15}$/.test(text))
    return text === undefined ? text : Number(text);
  throw new ExhibitError("usage.invalid", `--seed must be a whole number, not "${text}".`, {
    hint: "Count up from one check to the next, for example.",
  });
}

function summaryOf({ terminal }: Context, result: VerifySampleResult): string {
  const { percent, seed, exhibits, chosen, before, checked, bad, bytes, failed } = result;
  const theme = themeFor(terminal.color);
  const earlier = before === 0 ? "" : `, ${before} of them by an earlier run`;
  const mark = bad === 0 ? theme.good("✔") : theme.bad("✘");
  const lines = [
    `${mark} ${before + checked} of ${exhibits} exhibits read again, ${formatSize(bytes)}${earlier} (sample of ${percent}%, seed ${seed}).`,
    bad === 0
      ? chosen === 0
        ? "None is in this sample: give a larger --sample, or another --seed."
        : "The store holds what their signed records say."
      : `${bad} are not what their signed records say. Keep everything as it is and tell your administrator.`,
    ...failureLines(terminal, failed),
  ];
  return `${lines.join("\n")}\n`;
}
