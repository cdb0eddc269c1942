import { dryRun } from "../../app/dry-run.ts";
import { upload, type UploadResult } from "../../app/upload.ts";
import { caseSchema } from "../../evidence/case.ts";
import { initialsSchema } from "../../evidence/reference.ts";
import type { Context } from "../context.ts";
import { exitCodeOfMany } from "../exit.ts";
import { neededByGiven, wantsJson, withClient, withTransfer } from "../given.ts";
import { problemWith, type Typed } from "../input.ts";
import { stoppable } from "../interrupted.ts";
import { openReport, type ReportFile } from "../report-file.ts";
import { dryRunLines } from "../ui/dry-run-lines.ts";
import { printLongJson, writeLines } from "../ui/long-result.ts";
import { ask, type Question } from "../ui/prompt.ts";
import { askedFor, withSettings, type Answers, type Asked } from "../upload-asked.ts";
import { uploadLines } from "../ui/upload-lines.ts";

/** For someone who has stopped an upload. */
export const howToGoOn =
  "What has arrived is kept. The same command again, or exhibit resume, sends only what is missing.";

/** `exhibit upload`. */
export async function run(context: Context, typed: Typed): Promise<number> {
  if (typed.options["csv"] !== undefined)
    return (await import("./upload-csv.ts")).run(context, typed);
  const json = wantsJson(typed);
  const asked = await askForMissing(context, typed);
  const askInitials = async (): Promise<string> =>
    initialsSchema.parse(await ask(initialsQuestion, { ...context, json }));
  const request = await askedFor(context, typed, asked);
  if (typed.options["dryRun"] === true) return foresee(context, typed, request);
  return withTransfer(context, typed, "Sending", async (client, settings, endProgress) => {
    const result = await reported(typed, (onOutcome) =>
      stoppable(context.signal, howToGoOn, () =>
        upload(client, withSettings(request, settings), context.signal, {
          askInitials,
          onOutcome,
        }),
      ),
    );
    endProgress();
    return tellUpload(context, json, result);
  });
}

/** Says what an upload would do. */
export async function foresee(context: Context, typed: Typed, request: Asked): Promise<number> {
  const { terminal } = context;
  // Nothing is late that is not sent; but what is wrong with the command is told before it is meant.
  neededByGiven(typed);
  return withClient(context, typed, async (client, settings) => {
    const result = await reported(typed, async (onOutcome) => {
      const foreseen = await dryRun(client, withSettings(request, settings), context.signal);
      for (const one of foreseen.exhibits) onOutcome({ type: "foreseen", ...one });
      for (const one of foreseen.failed) onOutcome({ type: "failed", ...one });
      for (const one of foreseen.skipped) onOutcome({ type: "skipped", ...one });
      return foreseen;
    });
    if (wantsJson(typed)) {
      await printLongJson(terminal, { schema: "exhibit.dry-run/1", ...result });
    } else {
      await writeLines(terminal.output, dryRunLines.output(result));
      await writeLines(terminal.error, dryRunLines.summary(terminal, result));
    }
    return exitCodeOfMany(result.exhibits.count, result.failed);
  });
}

/** Runs an upload, or looks at what it would do, with the report that was asked for, if any. */
export async function reported<Result>(
  { options }: Typed,
  work: (onOutcome: ReportFile["onOutcome"]) => Promise<Result>,
): Promise<Result> {
  const file = options["report"] as string | undefined;
  if (file === undefined) return work(() => undefined);
  const report = openReport(file);
  try {
    return await work(report.onOutcome);
  } finally {
    report.close();
  }
}

/** Prints what an upload did and gives its exit code. */
async function tellUpload(
  { terminal }: Context,
  json: boolean,
  result: UploadResult,
): Promise<number> {
  if (json) await printLongJson(terminal, { schema: "exhibit.upload/1", ...result });
  else {
    await writeLines(terminal.output, uploadLines.output(result));
    await writeLines(terminal.error, uploadLines.summary(terminal, result));
  }
  return exitCodeOfMany(result.exhibits.count, result.failed);
}

/** Asks for files and case where they are missing; and for a title, too, of someone who is being asked anyway. */
async function askForMissing(context: Context, typed: Typed): Promise<Answers> {
  const options = { ...context, json: wantsJson(typed) };
  const paths = typed.args[0] as readonly string[];
  const givenCase = typed.options["case"] as string | undefined;
  const givenTitle = typed.options["title"] as string | undefined;
  const isListed = typed.options["filesFrom"] !== undefined;
  const asksAnyway = (paths.length === 0 && !isListed) || givenCase === undefined;
  return {
    paths: paths.length > 0 || isListed ? paths : [unquoted(await ask(pathQuestion, options))],
    case: givenCase ?? (await ask(caseQuestion, options)),
    title:
      givenTitle ?? (asksAnyway ? (await ask(titleQuestion, options)) || undefined : undefined),
  };
}

const pathQuestion: Question = { message: "File or folder to send:", flag: "The file to send" };
const caseQuestion: Question = {
  message: "Case (URN, crime or CAD reference):",
  flag: "--case",
  problem: problemWith(caseSchema),
};
/** Asked where a store needs initials to give references under. */
export const initialsQuestion: Question = {
  message: "Producer's initials, for the reference:",
  flag: "--initials, or the whole reference with --ref,",
  problem: problemWith(initialsSchema),
};
const titleQuestion: Question = {
  message: "What is it? (Enter to leave out):",
  flag: "--title",
  optional: true,
};

/** A path as file managers paste it, in quotes. */
function unquoted(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}
