import type { Command } from "commander";
import type { Context } from "./context.ts";
import { runs, type Outcome } from "./declare.ts";

/** What the force's IT asks about signing in; stands below `exhibit doctor`. */
export function declareSso(program: Command, context: Context, outcome: Outcome): void {
  const doctor = program.commands.find((command) => command.name() === "doctor");
  if (doctor === undefined) throw new Error("exhibit doctor is not declared yet.");
  runs(
    "store",
    doctor
      .command("sso")
      .summary("find out why officers cannot sign in, and what to set")
      .description(
        "Looks at everything that officers need to sign in by the force's identity provider: discovery, certificates, clock, the way back from the browser, the application, the claims of your sign-in, and what the server makes of them. Prints the exact setting to change, in Entra ID's words. Changes nothing. Exit code 9 when something will not work.",
      )
      .argument("[store]", "configured store, or its URL (default: the default store)")
      .option("--sign-in", "sign in on the page to look at the claims; nothing of it is kept")
      .option("--no-browser", "only print the address of the page, and open no browser"),
    context,
    outcome,
    async () => (await import("./commands/doctor-sso.ts")).run,
  );
}
