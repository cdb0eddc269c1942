import { resume, type ResumedJob } from "../../app/resume.ts";
import type { UploadResult } from "../../app/upload.ts";
import type { Failure } from "../../app/deps.ts";
import type { Context } from "../context.ts";
import { exitCodeOfMany } from "../exit.ts";
import { wantsJson, withTransfer } from "../given.ts";
import { stoppable } from "../interrupted.ts";
import { missing, type Typed } from "../input.ts";
import { printLongJson, writeLines } from "../ui/long-result.ts";
import { uploadLines } from "../ui/upload-lines.ts";
import { howToGoOn, reported } from "./upload.ts";

/** `exhibit resume`, and `exhibit uploads resume [ID]`. */
export async function run(context: Context, typed: Typed): Promise<number> {
  const { terminal, signal } = context;
  if (typed.options["atStartup"] === true) {
    await (await import("./resume-at-startup.ts")).run(context, typed);
    return 0;
  }
  if (typed.options["remove"] === true) throw missing("--at-startup, which goes with --remove,");
  const store = typed.options["store"] as string | undefined;
  const target = typed.args[0] as string | undefined;
  const request = {
    ...(store === undefined ? {} : { store }),
    ...(target === undefined ? {} : { target }),
  };
  return withTransfer(context, typed, "Sending", async (client, _settings, endProgress) => {
    const { jobs } = await reported(typed, (onOutcome) =>
      stoppable(signal, howToGoOn, () => resume(client, request, signal, onOutcome)),
    );
    endProgress();
    const all = together(jobs);
    if (wantsJson(typed)) {
      await printLongJson(terminal, { schema: "exhibit.resume/1", jobs });
    } else {
      await writeLines(terminal.output, uploadLines.output(all));
      await writeLines(
        terminal.error,
        jobs.length === 0
          ? ["Nothing was broken off: there is nothing to resume."]
          : uploadLines.summary(terminal, all),
      );
    }
    return exitCodeOfMany(all.exhibits.count, all.failed);
  });
}

/** What became of all of them, one command behind the other. */
function together(jobs: readonly ResumedJob[]): UploadResult {
  const list = <Kind>(
    of: (job: ResumedJob) => Iterable<Kind>,
    counts: (job: ResumedJob) => number,
  ) => ({
    count: jobs.reduce((sum, job) => sum + counts(job), 0),
    *[Symbol.iterator](): Generator<Kind> {
      for (const job of jobs) yield* of(job);
    },
  });
  return {
    exhibits: list(
      ({ result }) => result?.exhibits ?? [],
      ({ result }) => result?.exhibits.count ?? 0,
    ),
    skipped: list(
      ({ result }) => result?.skipped ?? [],
      ({ result }) => result?.skipped.count ?? 0,
    ),
    failed: list<Failure>(
      ({ result, failure }) => result?.failed ?? (failure === undefined ? [] : [failure]),
      ({ result }) => result?.failed.count ?? 1,
    ),
  };
}
