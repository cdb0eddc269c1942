import { Command, Option } from "commander";
import type { Context } from "./context.ts";
import type { Typed } from "./input.ts";

/** A command's code, loaded when it is called. It gives an exit code, or nothing for 0. */
export type CommandBody = (context: Context, typed: Typed) => Promise<number | undefined>;

/** Where the exit code of the command that ran is put down. */
export interface Outcome {
  exitCode: number;
}

/** Binds a declared command to its code. */
export function runs(
  command: Command,
  context: Context,
  outcome: Outcome,
  load: () => Promise<CommandBody>,
): void {
  command.action(async (...given: unknown[]) => {
    const body = await load();
    const args = given.slice(0, -2);
    outcome.exitCode = (await body(context, { args, options: command.opts() })) ?? 0;
  });
}

export function withJson(command: Command): Command {
  return command.option("--json", "print the result as one JSON document");
}

/** Options of every command that opens a store. */
export function withStore(command: Command): Command {
  return withSecrets(command)
    .option("--store <name>", "configured store to use (default: the default store)")
    .option("--ca-file <file>", "also trust the certificates in this PEM file")
    .addOption(new Option("--json", "print the result as one JSON document"));
}

function withSecrets(command: Command): Command {
  return command
    .option("--key-file <file>", "keep this machine's keys in this file, not in the keychain")
    .option("--insecure-storage", "keep this machine's keys in a plain file of the state folder");
}

/** Options of commands that move or read content. */
export function withProgress(command: Command): Command {
  return command.addOption(
    new Option("--progress <form>", "how to show progress, on stderr")
      .choices(["auto", "json", "none"])
      .default("auto"),
  );
}
