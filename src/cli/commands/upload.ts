import path from "node:path";
import { dryRun } from "../../app/dry-run.ts";
import { upload, type OnOutcome, type UploadRequest, type UploadResult } from "../../app/upload.ts";
import { caseSchema } from "../../evidence/case.ts";
import { ExhibitError } from "../../evidence/errors.ts";
import { initialsSchema, referenceSchema } from "../../evidence/reference.ts";
import type { Context, Settings } from "../context.ts";
import { exitCodeOfMany } from "../exit.ts";
import { listedFiles } from "../files-from.ts";
import { wantsJson, withClient, withTransfer } from "../given.ts";
import { checkedFlag, problemWith, type Typed } from "../input.ts";
import { stoppable } from "../interrupted.ts";
import { openReport } from "../report-file.ts";
import { dryRunLines } from "../ui/dry-run-lines.ts";
import { printLongJson, writeLines } from "../ui/long-result.ts";
import { ask, type Question } from "../ui/prompt.ts";
import { sinceGiven } from "../moments.ts";
import { recordFields } from "../record-fields.ts";
import { retentionGiven } from "../retention-given.ts";
import { uploadLines } from "../ui/upload-lines.ts";

/** For someone who has stopped an upload. */
export const howToGoOn =
  "What has arrived is kept. The same command again, or exhibit resume, sends only what is missing.";

/** `exhibit upload`. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const json = wantsJson(typed);
  const asked = await askForMissing(context, typed);
  const askInitials = async (): Promise<string> =>
    initialsSchema.parse(await ask(initialsQuestion, { ...context, json }));
  const request = await toRequest(context, typed, asked);
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

async function foresee(context: Context, typed: Typed, request: Asked): Promise<number> {
  const { terminal } = context;
  return withClient(context, typed, async (client, settings) => {
    const result = await dryRun(client, withSettings(request, settings), context.signal);
    if (wantsJson(typed)) {
      await printLongJson(terminal, { schema: "exhibit.dry-run/1", ...result });
    } else {
      await writeLines(terminal.output, dryRunLines.output(result));
      await writeLines(terminal.error, dryRunLines.summary(terminal, result));
    }
    return exitCodeOfMany(result.exhibits.count, result.failed);
  });
}

/** Runs an upload with the report that was asked for, if any. */
export async function reported<Result>(
  { options }: Typed,
  work: (onOutcome: OnOutcome) => Promise<Result>,
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

interface Answers {
  readonly paths: readonly string[];
  readonly case: string;
  readonly title: string | undefined;
}

/** What was asked for, but for what the settings say. */
type Asked = Omit<UploadRequest, "store" | "requireProof" | "concurrency" | "partBytes">;

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
const initialsQuestion: Question = {
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

async function toRequest(
  { terminal }: Context,
  { options }: Typed,
  answers: Answers,
): Promise<Asked> {
  const text = (name: string): string | undefined => options[name] as string | undefined;
  const globs = (name: string): readonly string[] | undefined =>
    options[name] as readonly string[] | undefined;
  const reference = text("ref");
  const receipt = text("receipt");
  const initials = text("initials");
  const sourceId = text("sourceId");
  const newerThan = text("newerThan");
  const include = globs("include");
  const exclude = globs("exclude");
  return {
    ...(await filesOf(options, answers.paths, terminal.input)),
    case: checkedFlag(caseSchema, answers.case, "--case"),
    oneExhibit: options["oneExhibit"] === true,
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(newerThan === undefined
      ? {}
      : { newerThan: sinceGiven(newerThan, "--newer-than", text("timeZone")) }),
    ...(answers.title === undefined ? {} : { title: answers.title }),
    ...(reference === undefined
      ? {}
      : { reference: checkedFlag(referenceSchema, reference, "--ref") }),
    ...(initials === undefined
      ? {}
      : { initials: checkedFlag(initialsSchema, initials, "--initials") }),
    ...(sourceId === undefined ? {} : { sourceId }),
    ...(receipt === undefined ? {} : { receiptFile: path.resolve(receipt) }),
    ...recordFields(options),
    ...retentionGiven(options, new Date()),
  };
}

/** The files that were named, or those of a list: then the one folder that was named is what they lie below. */
async function filesOf(
  options: Typed["options"],
  paths: readonly string[],
  stdin: NodeJS.ReadableStream,
): Promise<{ paths: readonly string[]; base?: string }> {
  const list = options["filesFrom"] as string | undefined;
  if (list === undefined) return { paths: paths.map(placed) };
  if (paths.length > 1) {
    throw new ExhibitError("usage.invalid", "With --files-from, name one folder at most.", {
      hint: "The files of the list are looked for below it; left out, below the folder you are in.",
    });
  }
  const base = path.resolve(paths[0] ?? ".");
  return {
    paths: await listedFiles(list, { from0: options["from0"] === true, base, stdin }),
    base,
  };
}

/** A path, wherever the command runs again; what lies in a bucket has its whole address already. */
function placed(text: string): string {
  return text.startsWith("s3://") ? text : path.resolve(text);
}

function withSettings(asked: Asked, settings: Settings): UploadRequest {
  const { store, requireProof, concurrency, partBytes } = settings;
  const initials = asked.initials ?? settings.initials;
  return {
    ...asked,
    requireProof,
    concurrency,
    partBytes,
    ...(store === undefined ? {} : { store }),
    ...(initials === undefined ? {} : { initials }),
  };
}
