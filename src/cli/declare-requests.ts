import type { Command } from "commander";
import type { Context } from "./context.ts";
import { noun, runs, type Outcome } from "./declare.ts";

const group = "Sharing:";

/** Requests for files, from people without an account; and what of a store will not work. */
export function declareRequests(program: Command, context: Context, outcome: Outcome): void {
  const request = noun(
    program,
    "request",
    group,
    "ask people without an account for files, in Box",
  );
  runs(
    "store",
    request
      .command("create")
      .summary("ask people for files for a case")
      .description(
        "Copies a file request that was made in Box into a folder of the case and prints its address. Nothing is sent to anyone. " +
          "What is handed in is no exhibit before it is uploaded as one.",
      )
      .option("--case <case>", "the case that the files are for")
      .option("--box-file-request <id>", "file request in Box that this one is a copy of")
      .option("--title <text>", "what its page is headed with (default: as the other one)")
      .option("--expires <duration>", "how long files can be handed in: 12h, 7d", "7d"),
    context,
    outcome,
    async () => (await import("./commands/request-create.ts")).run,
  );
  runs(
    "store",
    request
      .command("list")
      .summary("list requests for files")
      .description("Lists the requests for files that were made in a store."),
    context,
    outcome,
    async () => (await import("./commands/request-list.ts")).run,
  );
  runs(
    "store",
    request
      .command("close")
      .summary("close a request for files")
      .description("Closes a request for files: its page is gone. Repeating it succeeds.")
      .argument("<request>", "the request's id"),
    context,
    outcome,
    async () => (await import("./commands/request-close.ts")).run,
  );
  runs(
    "store",
    program
      .command("doctor")
      .helpGroup("This machine:")
      .summary("say what will not work, before anybody tries")
      .description(
        "Says what will not work on this machine: its Node, clock, keys, proxy and certificates, disk, speed, and uploads that were broken off. " +
          "With a store of Box named, what of it will not work by the enterprise's settings and the account's rights. Each with what to do. Changes nothing. " +
          "Exit code 0, or that of what will not work. What a store itself promises and keeps is tried out by exhibit store check.",
      )
      .argument("[store]", "a configured store of Box, or its URL (default: look at this machine)"),
    context,
    outcome,
    async () => (await import("./commands/doctor.ts")).run,
  );
}
