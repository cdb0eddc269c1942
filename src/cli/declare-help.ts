import { Argument, type Command } from "commander";
import { shells } from "./completion/scripts.ts";
import type { Context } from "./context.ts";
import { runs, type Outcome } from "./declare.ts";

const group = "This machine:";

/** Help on commands and topics, and what shells need for their Tab key. */
export function declareHelp(program: Command, context: Context, outcome: Outcome): void {
  declareTopics(program, context);
  runs(
    "plain",
    program
      .command("completion")
      .helpGroup(group)
      .summary("teach your shell's Tab key the commands")
      .description(
        "Prints a script that teaches a shell's Tab key every command, option and configured store. At a terminal it says where the script goes.",
      )
      .addArgument(new Argument("<shell>", "your shell").choices(shells)),
    context,
    outcome,
    async () => (await import("./commands/completion.ts")).run,
  );
  declareComplete(program, context);
}

function declareTopics(program: Command, { terminal }: Context): void {
  program
    .command("help")
    .summary("print help on a command or a topic")
    .description("Prints help on a command, or on a topic: exit-codes, environment, configuration.")
    .argument("[words...]", "command, or topic")
    .helpGroup(group)
    .action(async (words: readonly string[]) => {
      const { helpTopics } = await import("./help-topics.ts");
      const topic = helpTopics[words.join(" ")];
      if (topic !== undefined) {
        terminal.output.write(topic);
        return;
      }
      let command = program;
      for (const word of words) {
        const next = command.commands.find((candidate) => candidate.name() === word);
        // commander knows how to say this, and suggests what was meant.
        if (next === undefined) return command.error(`unknown command or topic '${word}'`);
        command = next;
      }
      command.outputHelp();
    });
}

/** What the scripts of `completion` ask. A shell shows nothing of a failure, so there is none. */
function declareComplete(program: Command, { terminal, machine }: Context): void {
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .option("--next", "the word to complete has not been begun")
    .action(async (words: readonly string[], { next }: { next?: true }) => {
      const { candidatesFor } = await import("./completion/candidates.ts");
      const stores = async () => {
        const configured = await machine.stores().then((book) => book.list());
        return configured.map(({ name, url }) => ({ word: name, about: url }));
      };
      const typed = next === true ? [...words, ""] : words;
      const found = await candidatesFor(program, typed, () => stores().catch(() => []));
      const lines = found.words.map(({ word, about }) => `${word}\t${about}`);
      terminal.output.write([...lines, `:${found.onDisk ?? ""}`, ""].join("\n"));
    });
}
