import { Option, type Command } from "commander";
import type { Context } from "./context.ts";
import { noun, runs, type Outcome } from "./declare.ts";

const group = "Evidence:";

/** Upload, and everything about exhibits that are there. */
export function declareEvidence(program: Command, context: Context, outcome: Outcome): void {
  declareUpload(program, context, outcome);
  runs(
    "transfer",
    program
      .command("resume")
      .helpGroup(group)
      .summary("go on with uploads that were broken off")
      .addOption(reportOption())
      .option("--at-startup", "have this computer do so by itself whenever it starts")
      .option("--remove", "with --at-startup: do so no more")
      .description(
        "Goes on with every upload of this machine that was broken off, or with those to one store (--store). Only what is missing is sent.",
      ),
    context,
    outcome,
    async () => (await import("./commands/resume.ts")).run,
  );
  declareUploads(program, context, outcome);
  runs(
    "store",
    program
      .command("list")
      .helpGroup(group)
      .summary("list exhibits")
      .description("Lists the exhibits you may see, by case and reference.")
      .option("--case <ref>", "only this case"),
    context,
    outcome,
    async () => (await import("./commands/list.ts")).run,
  );
  runs(
    "store",
    program
      .command("show")
      .helpGroup(group)
      .summary("show an exhibit, its record and its receipt")
      .description(
        "Shows an exhibit with its record and receipt, both checked against the keys this machine knows.",
      )
      .argument("<exhibit>", "CASE:ABC/1, or the exhibit's id"),
    context,
    outcome,
    async () => (await import("./commands/show.ts")).run,
  );
  runs(
    "transfer",
    program
      .command("download")
      .helpGroup(group)
      .summary("fetch an exhibit, or a case as one archive, and verify it")
      .description(
        "Fetches an exhibit's files, verifies each against the signed record, and restores names, folders and times.\nThe same command again goes on with what is missing. Nothing is overwritten.\nWith --case and --tar a whole case instead, as one archive: files, records, receipts, custody logs and SHA256SUMS, for tar x and sha256sum -c SHA256SUMS. What is not as recorded breaks the archive off (exit code 6).",
      )
      .argument("[exhibit]", "CASE:ABC/1, or the exhibit's id")
      .option(
        "--to <folder>",
        "folder to restore into (default: a new one named after the exhibit)",
      )
      .option("--case <ref>", "all finished exhibits of this case, with --tar")
      .option("--tar <file>", "write one tar archive to this file, or - for standard output"),
    context,
    outcome,
    async () => (await import("./commands/download.ts")).run,
  );
  runs(
    "transfer",
    program
      .command("verify")
      .helpGroup(group)
      .summary("check an exhibit in the store against its record and receipt")
      .description(
        "Checks what the store holds of an exhibit against the signed record and receipt, and the custody log, too.\nIn a folder or an exhibit server every byte is read again. In S3, size, version and the store's own digest are compared with what the receipt says of them, and no byte is read, unless --deep is given. The result says how each file was checked.\nWith --sample a part of all exhibits instead, for checks at regular times: with 2% and the seeds 1, 2, 3 and on, 50 runs check everything once.",
      )
      .argument("[exhibit]", "CASE:ABC/1, or the exhibit's id")
      .option("--deep", "read every byte again, also where the store keeps a digest")
      .option(
        "--sample <percent>",
        "check so much of a case or of the store instead, every byte of it, such as 2%",
      )
      .option("--seed <number>", "which sample (default: the report's, else one of chance)")
      .option("--case <case>", "only exhibits of this case")
      .option(
        "--report <file>",
        "write what was found of each exhibit to this file, a JSON line each; a run that was broken off goes on from it",
      ),
    context,
    outcome,
    async () => (await import("./commands/verify.ts")).run,
  );
  const receipt = noun(program, "receipt", group, "check receipts");
  runs(
    "offline",
    receipt
      .command("verify")
      .summary("check a receipt and files against it, without a network")
      .description(
        "Checks a receipt's signature against the keys this machine knows, and files against the receipt. Asks no network.",
      )
      .argument("<receipt>", "the receipt's file")
      .argument("[files...]", "files or folders that it may vouch for")
      .option("--key <thumbprint>", "the key that must have signed, as the issuer gave it to you"),
    context,
    outcome,
    async () => (await import("./commands/receipt-verify.ts")).run,
  );
  runs(
    "store",
    program
      .command("log")
      .helpGroup(group)
      .summary("show and check an exhibit's custody log")
      .description(
        "Shows what happened to an exhibit, oldest first, and checks that no line was changed or taken away, and the signature of each recipient's note.",
      )
      .argument("<exhibit>", "CASE:ABC/1, or the exhibit's id"),
    context,
    outcome,
    async () => (await import("./commands/log.ts")).run,
  );
}

/** The values of an option that may be given several times. */
function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function reportOption(): Option {
  return new Option(
    "--report <file>",
    "write what became of each exhibit (with --dry-run, what would) to this file, a JSON line each",
  );
}

function declareUpload(program: Command, context: Context, outcome: Outcome): void {
  const command = program
    .command("upload")
    .helpGroup(group)
    .summary("send files and folders as exhibits")
    .description(
      "Sends files and folders as exhibits, each with a signed record and a receipt. Safe to repeat: what is there is " +
        "found again, and only what is missing is sent. Asks for files and case when they are left out at a terminal.",
    )
    .argument("[paths...]", "files and folders to send")
    .option("--case <ref>", "case they belong to: URN, crime or CAD reference")
    .option("--ref <reference>", "exhibit reference, such as ABC/1 (default: the next free one)")
    .option("--initials <letters>", "producer's initials for references that the store allots")
    .option("--title <text>", "what it is")
    .option("--source-id <id>", "what your own system calls it (default: names, sizes and times)")
    .option("--one-exhibit", "make all the files one exhibit, with their folders")
    .option("--dry-run", "say what would be sent, and what would fail, and send nothing");
  command
    .optionsGroup("Choosing files:")
    .option("--include <glob>", "only files that fit it, such as '*.mp4' (repeatable)", collected)
    .option(
      "--exclude <glob>",
      "leave out files that fit it, included or not (repeatable)",
      collected,
    )
    .option("--newer-than <time>", "only files changed since: 7d, 2026-11-21, 2026-11-21T14:05:00Z")
    .option("--files-from <list>", "send the files that this list names, one a line (- is stdin)")
    .option(
      "--csv <file>",
      "send what this list names, a row an exhibit: columns file, case, reference, source-id, title, recorded-from, recorded-to",
    )
    .option(
      "--map <columns>",
      'what columns of the list are called: "file=Recording path,case=CAD No" (repeatable)',
      collected,
    )
    .option("--from0", "names in the list end with a NUL byte, as find -print0 writes them");
  command
    .optionsGroup("Record:")
    .option("--producer <name>", "who produces the exhibit")
    .option("--oic <name>", "officer in the case")
    .option("--camera <name>", "camera it was recorded with")
    .option("--recorder <name>", "recorder it comes from")
    .option("--system <name>", "system it comes from")
    .option(
      "--recorded-from <time>",
      'start: 2026-11-21T14:05:00Z, or "2026-11-21 14:05" with --time-zone',
    )
    .option("--recorded-to <time>", "end of the recording")
    .option("--time-zone <zone>", "time zone of the recording, such as Europe/London")
    .option("--clock-offset <seconds>", "how far the recorder's clock was ahead of true time")
    .option("--clock-measured-by <text>", "how that was measured, such as: speaking clock")
    .option("--supersedes <id...>", "ids of exhibits that this one corrects");
  command
    .optionsGroup("Transfer:")
    .option(
      "--receipt <file>",
      "where the receipt goes, for one exhibit (default: the state folder)",
    )
    .addOption(
      new Option(
        "--require-proof <level>",
        "weakest proof of arrival to accept; read-back reads again what a store does not prove so well (default: transport)",
      ).choices(["whole", "parts", "read-back", "transport"]),
    )
    .addOption(reportOption())
    .option(
      "--retain-until <date>",
      "have the store keep each exhibit so long, by Object Lock: 2033-11-25, or a time",
    )
    .addOption(
      new Option(
        "--retain-mode <mode>",
        "who may end that early: those with a special right, or nobody (default: governance)",
      ).choices(["governance", "compliance"]),
    )
    .option(
      "--hash-first",
      "fix and print the SHA-256 of every file before the first byte leaves; each file is read twice",
    )
    .option(
      "--needed-by <time>",
      'say early whether all will have arrived by then: 15:00 (today), or "2026-11-21 15:00"',
    )
    .option("--legal-hold", "have the store keep each exhibit until the hold is lifted")
    .option("--concurrency <n>", "parts in flight at once, at most (default: 4)")
    .option("--part-size <size>", "longest part; on a slow line parts are shorter (default: 8M)");
  runs(
    "transfer",
    command,
    context,
    outcome,
    async () => (await import("./commands/upload.ts")).run,
  );
}

function declareUploads(program: Command, context: Context, outcome: Outcome): void {
  const uploads = noun(
    program,
    "uploads",
    group,
    "list, resume or give up uploads that are not finished",
  );
  runs(
    "store",
    uploads
      .command("list")
      .summary("list uploads that are not finished")
      .description(
        "Lists the unfinished uploads that the store keeps for you, and this machine's unfinished commands.",
      ),
    context,
    outcome,
    async () => (await import("./commands/uploads-list.ts")).run,
  );
  runs(
    "transfer",
    uploads
      .command("resume")
      .summary("go on with one upload that was broken off, or with all")
      .addOption(reportOption())
      .description(
        "Goes on with the command of this machine that the upload belongs to, or with all that were broken off. Only what is missing is sent.",
      )
      .argument("[upload]", "id of an upload or of a command, or the exhibit (CASE:ABC/1)"),
    context,
    outcome,
    async () => (await import("./commands/resume.ts")).run,
  );
  runs(
    "store",
    uploads
      .command("abort")
      .summary("give an unfinished upload up")
      .description(
        "Forgets an unfinished upload, here and at the store. What has arrived whole is evidence and stays.",
      )
      .argument("<upload>", "id of an upload or of a command, or the exhibit (CASE:ABC/1)"),
    context,
    outcome,
    async () => (await import("./commands/uploads-abort.ts")).run,
  );
}
