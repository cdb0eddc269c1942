import { Option, type Command } from "commander";
import type { Context } from "./context.ts";
import type { Typed } from "./input.ts";

/** A command's code, loaded when it is called. It gives an exit code, or nothing for 0. */
export type CommandBody = (context: Context, typed: Typed) => Promise<number | undefined>;

/** Where the exit code of the command that ran is put down. */
export interface Outcome {
  exitCode: number;
}

/**
 * What a command works on, and with it the options that it shares with others: `plain` nothing, `store` a store,
 * `transfer` a store's content, `offline` content without a store.
 */
type Kind = "plain" | "store" | "transfer" | "offline";

/** Gives a declared command its shared options, behind its own, and binds it to its code. */
export function runs(
  kind: Kind,
  command: Command,
  context: Context,
  outcome: Outcome,
  load: () => Promise<CommandBody>,
): void {
  if (kind === "transfer") addSpeedOptions(command);
  if (kind !== "plain") addStoreOptions(command, kind !== "offline");
  command.optionsGroup("Output:");
  if (kind === "transfer" || kind === "offline") addProgressOption(command);
  command.option("--json", "print the result as one JSON document");
  command.action(async (...given: unknown[]) => {
    const body = await load();
    const args = given.slice(0, -2);
    // A verb below a command that can be run itself: options that both have are taken for the upper one's.
    const options = command.optsWithGlobals();
    outcome.exitCode = (await body(context, { args, options })) ?? 0;
  });
}

function addSpeedOptions(command: Command): void {
  command
    .optionsGroup("Connection:")
    .option(
      "--bwlimit <limit>",
      'speed limit: 2M (a second), or by the time of the week: "Mon-08:00,500K Mon-19:00,off" (default: off)',
    )
    .option(
      "--give-up-after <duration>",
      "stop when the store has been gone for this long, such as 15m (default: wait and go on)",
    );
}

function addStoreOptions(command: Command, connects: boolean): void {
  command.optionsGroup("Store and keys:");
  if (connects) {
    command.option("--store <name>", "configured store to use (default: the default store)");
  }
  command
    .option("--key-file <file>", "keep this machine's keys in this file, not in the keychain")
    .option("--insecure-storage", "keep this machine's keys in a plain file of the state folder");
  if (connects) {
    command.option("--ca-file <file>", "also trust the certificates in this PEM file");
  }
}

function addProgressOption(command: Command): void {
  command.addOption(
    new Option("--progress <form>", "how to show progress, on stderr")
      .choices(["auto", "json", "none"])
      .default("auto"),
  );
}

/** A noun with its verbs below it. */
export function noun(program: Command, name: string, group: string, summary: string): Command {
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return program
    .command(name)
    .helpGroup(group)
    .summary(summary)
    .description(sentence)
    .helpCommand(false);
}
