import path from "node:path";
import { upload, type UploadRequest, type UploadResult } from "../../app/upload.ts";
import { caseSchema } from "../../evidence/case.ts";
import { initialsSchema, referenceSchema } from "../../evidence/reference.ts";
import type { Context, Settings } from "../context.ts";
import { exitCodeOfMany } from "../exit.ts";
import { wantsJson, withTransfer } from "../given.ts";
import { checkedFlag, problemWith, type Typed } from "../input.ts";
import { interruptionOf } from "../interrupted.ts";
import { ask, type Question } from "../ui/prompt.ts";
import { printResult } from "../ui/result.ts";
import { recordFields } from "../record-fields.ts";
import { uploadLines } from "../ui/upload-lines.ts";

const howToGoOn =
  "What has arrived is kept. The same command again, or exhibit resume, sends only what is missing.";

/** `exhibit upload`. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const json = wantsJson(typed);
  const asked = await askForMissing(context, typed);
  const askInitials = async (): Promise<string> =>
    initialsSchema.parse(await ask(initialsQuestion, { ...context, json }));
  const result = await withTransfer(context, typed, "Sending", async (client, settings) => {
    const request = toRequest(typed, asked, settings);
    return stoppable(context, () => upload(client, request, context.signal, askInitials));
  });
  return tellUpload(context, json, result);
}

/** Prints what an upload did and gives its exit code. */
export function tellUpload(context: Context, json: boolean, result: UploadResult): number {
  printResult(context.terminal, json, { schema: "exhibit.upload/1", ...result }, () =>
    uploadLines.output(result),
  );
  if (!json) context.terminal.error.write(uploadLines.summary(context.terminal, result));
  return exitCodeOfMany(result.exhibits.length, result.failed);
}

/** An interruption that says how to go on. */
export async function stoppable<Result>(
  { signal }: Context,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw interruptionOf(signal, howToGoOn) ?? error;
  }
}

interface Asked {
  readonly paths: readonly string[];
  readonly case: string;
  readonly title: string | undefined;
}

/** Asks for files and case where they are missing; and for a title, too, of someone who is being asked anyway. */
async function askForMissing(context: Context, typed: Typed): Promise<Asked> {
  const options = { ...context, json: wantsJson(typed) };
  const paths = typed.args[0] as readonly string[];
  const givenCase = typed.options["case"] as string | undefined;
  const givenTitle = typed.options["title"] as string | undefined;
  const asksAnyway = paths.length === 0 || givenCase === undefined;
  return {
    paths: paths.length > 0 ? paths : [unquoted(await ask(pathQuestion, options))],
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

function toRequest(typed: Typed, asked: Asked, settings: Settings): UploadRequest {
  const { options } = typed;
  const text = (name: string): string | undefined => options[name] as string | undefined;
  const reference = text("ref");
  const receipt = text("receipt");
  const initials = text("initials") ?? settings.initials;
  const sourceId = text("sourceId");
  return {
    paths: asked.paths.map((one) => path.resolve(one)),
    case: checkedFlag(caseSchema, asked.case, "--case"),
    oneExhibit: options["oneExhibit"] === true,
    requireProof: settings.requireProof,
    concurrency: settings.concurrency,
    partBytes: settings.partBytes,
    ...(settings.store === undefined ? {} : { store: settings.store }),
    ...(asked.title === undefined ? {} : { title: asked.title }),
    ...(reference === undefined
      ? {}
      : { reference: checkedFlag(referenceSchema, reference, "--ref") }),
    ...(initials === undefined
      ? {}
      : { initials: checkedFlag(initialsSchema, initials, "--initials") }),
    ...(sourceId === undefined ? {} : { sourceId }),
    ...(receipt === undefined ? {} : { receiptFile: path.resolve(receipt) }),
    ...recordFields(options),
  };
}
