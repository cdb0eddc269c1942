import type { Command } from "commander";
import type { Context } from "./context.ts";
import { noun, runs, type Outcome } from "./declare.ts";

/** What is done to an exhibit server's data folder on this machine, beside serving from it. */
export function declareServer(program: Command, context: Context, outcome: Outcome): void {
  const server = noun(
    program,
    "server",
    "This machine:",
    "back up a server of this machine, restore it, change its key",
  );
  runs(
    "plain",
    server
      .command("backup")
      .summary("copy what a server needs beside its content, while it runs")
      .description(
        "Copies a server's database, its keys and how it was started into one file, as of one moment, while it runs and takes uploads. The content is not in it: " +
          "back that up as the store that it is in. The file holds the server's private key: encrypt it, or keep it where nobody else can read.",
      )
      .argument(
        "<target>",
        "file that is not there yet, or a folder, where it is named by its time",
      )
      .option("--data <folder>", "the server's data folder (default: server in the state folder)")
      .option(
        "--encrypt-with <file>",
        "encrypt it with the passphrase in this file; - reads it from stdin",
      ),
    context,
    outcome,
    async () => (await import("./commands/server-backup.ts")).run,
  );
  runs(
    "plain",
    server
      .command("restore")
      .summary("make a data folder from a backup")
      .description(
        "Makes a server's data folder from a backup, in an empty folder and nowhere else. The server has the same key as before, so that whoever is enrolled goes on. " +
          "Never run it beside the old one. What was sent since the backup is found again in the content by exhibit serve --rebuild-index.",
      )
      .argument("<file>", "the backup")
      .requiredOption("--data <folder>", "empty folder that becomes the server's data folder")
      .option("--decrypt-with <file>", "the passphrase, in a file; - reads it from stdin"),
    context,
    outcome,
    async () => (await import("./commands/server-restore.ts")).run,
  );
  runs(
    "plain",
    server
      .command("rotate-key")
      .summary("give a server that is stopped a new key")
      .description(
        "Gives a server that is stopped a new key. The old one signs the change: whoever is enrolled accepts the new key by that and goes on, and old receipts still verify. The server " +
          "publishes its retired keys with their dates. Make a backup afterwards: older ones hold the retired key.",
      )
      .option("--data <folder>", "the server's data folder (default: server in the state folder)")
      .option(
        "--old-key-lost",
        "the old key is lost or stolen and signs nothing: everyone has to log in with a new invitation",
      ),
    context,
    outcome,
    async () => (await import("./commands/server-rotate-key.ts")).run,
  );
}
