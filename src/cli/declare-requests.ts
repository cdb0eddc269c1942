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
      .summary("say what of a store will not work")
      .description(
        "Says what of a store in Box will not work, by the enterprise's settings and the account's rights, before anybody tries, and what an " +
          "administrator must set. Changes nothing. Exit code 9 when something will not work.",
      )
      .argument("[name]", "configured store, or its URL (default: the default store)"),
    context,
    outcome,
    async () => (await import("./commands/doctor.ts")).run,
  );
}
