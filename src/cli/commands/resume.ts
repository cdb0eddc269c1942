import { resume } from "../../app/resume.ts";
import type { UploadResult } from "../../app/upload.ts";
import type { Context } from "../context.ts";
import { exitCodeOfMany } from "../exit.ts";
import { wantsJson, withTransfer } from "../given.ts";
import type { Typed } from "../input.ts";
import { printResult } from "../ui/result.ts";
import { uploadLines } from "../ui/upload-lines.ts";
import { reported, stoppable } from "./upload.ts";

/** `exhibit resume`, and `exhibit uploads resume [ID]`. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const json = wantsJson(typed);
  const store = typed.options["store"] as string | undefined;
  const target = typed.args[0] as string | undefined;
  const request = {
    ...(store === undefined ? {} : { store }),
    ...(target === undefined ? {} : { target }),
  };
  const { jobs } = await reported(typed, (onOutcome) =>
    withTransfer(context, typed, "Sending", (client) =>
      stoppable(context, () => resume(client, request, context.signal, onOutcome)),
    ),
  );
  const all: UploadResult = {
    exhibits: jobs.flatMap(({ result }) => result?.exhibits ?? []),
    skipped: jobs.flatMap(({ result }) => result?.skipped ?? []),
    failed: jobs.flatMap(({ result, failure }) => [
      ...(result?.failed ?? []),
      ...(failure === undefined ? [] : [failure]),
    ]),
  };
  printResult(context.terminal, json, { schema: "exhibit.resume/1", jobs }, () =>
    uploadLines.output(all),
  );
  if (!json) {
    context.terminal.error.write(
      jobs.length === 0
        ? "Nothing was broken off: there is nothing to resume.\n"
        : uploadLines.summary(context.terminal, all),
    );
  }
  return exitCodeOfMany(all.exhibits.length, all.failed);
}
