import path from "node:path";
import type { UploadRequest } from "../app/upload.ts";
import { caseSchema } from "../evidence/case.ts";
import { ExhibitError } from "../evidence/errors.ts";
import { sinceGiven } from "./moments.ts";
import type { Context, Settings } from "./context.ts";
import { listedFiles } from "./files-from.ts";
import { checkedFlag, type Typed } from "./input.ts";
import { recordFields } from "./record-fields.ts";
import { retentionGiven } from "./retention-given.ts";

/** What a person may have been asked for. */
export interface Answers {
  readonly paths: readonly string[];
  /** Left out where a list names several. */
  readonly case: string | undefined;
  readonly title: string | undefined;
}

/** What was asked for, but for what the settings say. */
export type Asked = Omit<UploadRequest, "store" | "requireProof" | "concurrency" | "partBytes">;

/** What the command line asks to be uploaded, checked. @throws ExhibitError `usage.*`, `not-found.source` for a list of files */
export async function askedFor(
  { terminal }: Pick<Context, "terminal">,
  { options }: Typed,
  answers: Answers,
): Promise<Asked> {
  const text = (name: string): string | undefined => options[name] as string | undefined;
  const globs = (name: string): readonly string[] | undefined =>
    options[name] as readonly string[] | undefined;
  const receipt = text("receipt");
  const newerThan = text("newerThan");
  const include = globs("include");
  const exclude = globs("exclude");
  return {
    ...(await filesOf(options, answers.paths, terminal.input)),
    ...(answers.case === undefined
      ? {}
      : { case: checkedFlag(caseSchema, answers.case, "--case") }),
    ...(options["hashFirst"] === true ? { hashFirst: true } : {}),
    oneExhibit: options["oneExhibit"] === true,
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(newerThan === undefined
      ? {}
      : { newerThan: sinceGiven(newerThan, "--newer-than", text("timeZone")) }),
    ...(answers.title === undefined ? {} : { title: answers.title }),
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

/** An upload as its use case takes it. */
export function withSettings(asked: Asked, settings: Settings): UploadRequest {
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
