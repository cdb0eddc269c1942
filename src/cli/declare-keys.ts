import type { Command } from "commander";
import type { Context } from "./context.ts";
import { noun, runs, type Outcome } from "./declare.ts";

/** Whose signatures count on this machine. */
export function declareKeys(program: Command, context: Context, outcome: Outcome): void {
  const key = noun(
    program,
    "key",
    "People and machines:",
    "make a key, or say whose signatures count on this machine",
  );
  runs(
    "offline",
    key
      .command("list")
      .summary("list the keys that count here")
      .description(
        "Lists the keys whose signatures count here: this machine's own, those of its servers, and those that were trusted by name.",
      ),
    context,
    outcome,
    async () => (await import("./commands/key-list.ts")).run,
  );
  runs(
    "plain",
    key
      .command("create")
      .summary("make a key for a machine that nobody sits at")
      .description(
        "Makes a key for a machine that nobody sits at, in a key file, and its public half beside it in FILE.pub, which the server's administrator enrols. From then on exhibit login --key-file FILE signs in without a prompt. Repeating it keeps the key.",
      )
      .argument("<file>", "the key file, made for this account alone"),
    context,
    outcome,
    async () => (await import("./commands/key-create.ts")).run,
  );
  runs(
    "plain",
    key
      .command("trust")
      .summary("believe what another machine has signed")
      .description(
        "Believes what another machine has signed: in a folder, a bucket or Box without a server, exhibits are sealed by whoever uploaded them. Have the key " +
          "read out to you by a person whose voice you know; never take it from what it has signed.",
      )
      // No argument: one key in 64 begins with a hyphen.
      .requiredOption("--key <key>", "the key, as exhibit key list shows it on that machine")
      .requiredOption("--whose <words>", 'whose it is, such as "Garage North"'),
    context,
    outcome,
    async () => (await import("./commands/key-trust.ts")).run,
  );
  runs(
    "plain",
    key
      .command("distrust")
      .summary("believe a key no more")
      .description("Believes what a key has signed no more. Repeating it succeeds.")
      .requiredOption("--key <key>", "the key"),
    context,
    outcome,
    async () => (await import("./commands/key-distrust.ts")).run,
  );
}
