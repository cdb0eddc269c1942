import type { Command } from "commander";
import type { Context } from "./context.ts";
import { noun, runs, type Outcome } from "./declare.ts";

const group = "Evidence:";

/** Cases: what is in them, which ones an officer follows, and what has landed. */
export function declareCases(program: Command, context: Context, outcome: Outcome): void {
  const cases = noun(program, "case", group, "look at a case, and follow it");
  runs(
    "store",
    cases
      .command("show")
      .summary("show a case: exhibits, shares, who has looked")
      .description(
        "Shows a case at a glance: its exhibits with who sent them and when, uploads that are not finished, and your shares of them (an " +
          "administrator's: all) with whether the recipient has looked.",
      )
      .argument("<case>", "URN, crime or CAD reference")
      .option(
        "--hearing <date>",
        "mark what ends before this day, or time: shares, retention, unfinished uploads",
      ),
    context,
    outcome,
    async () => (await import("./commands/case-show.ts")).run,
  );
}
