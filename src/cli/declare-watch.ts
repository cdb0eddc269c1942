import { Option, type Command } from "commander";
import type { Context } from "./context.ts";
import { runs, type Outcome } from "./declare.ts";

/** What takes evidence by itself, as it comes. */
export function declareWatch(program: Command, context: Context, outcome: Outcome): void {
  const command = program
    .command("watch")
    .helpGroup("Evidence:")
    .summary("take each file of a folder as an exhibit, as it comes")
    .description(
      "Takes each file that appears in a folder as an exhibit, once, as soon as the program that writes it has let go of it. " +
        "Goes on until it is stopped; started again, it goes on where it was. Nothing is moved or changed unless --after says so. " +
        "Dot files, ~$ files, .part, .tmp and the like are left alone, and links are not followed.",
    )
    .argument("<folder>", "folder to watch, with all in it")
    .addOption(
      new Option(
        "--sidecar <form>",
        "where what is known of a file comes from: NAME.ext.json or NAME.json beside it, or a row in a .csv of its folder; a file waits for it",
      )
        .choices(["json", "csv", "none"])
        .default("none"),
    )
    .option("--case <ref>", "case of files that nothing else names one for")
    .option(
      "--case-from <pattern>",
      'case and reference by the path below the folder: "{case}/{reference}_*.wav"',
    )
    .option(
      "--map <columns>",
      "what columns or members are called there, as upload --map",
      collected,
    )
    .option("--settle <seconds>", "how long a file must have stayed unchanged", "10")
    .option("--poll <seconds>", "look at the folder at least so often", "30")
    .option(
      "--after <action>",
      "move=DIR: move a file there once its receipt is on the disk, over nothing (default: leave it)",
    )
    .option("--once", "take what is there and settled, then end");
  command
    .optionsGroup("Record:")
    .option("--initials <letters>", "producer's initials for references that the store allots")
    .option("--title <text>", "what they are")
    .option("--producer <name>", "who produces the exhibits")
    .option("--oic <name>", "officer in the case")
    .option("--recorder <name>", "recorder they come from")
    .option("--system <name>", "system they come from")
    .option("--time-zone <zone>", "of times in sidecars (default: this computer's)");
  command
    .optionsGroup("Service:")
    .option("--print-service", "print a service that runs this very command, and run nothing")
    .addOption(
      new Option("--for <system>", "system that the service is for (default: this one)").choices([
        "linux",
        "windows",
      ]),
    );
  runs(
    "transfer",
    command,
    context,
    outcome,
    async () => (await import("./commands/watch.ts")).run,
  );
}

function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
