import type { Command } from "commander";
import type { Context } from "./context.ts";
import { runs, type Outcome } from "./declare.ts";

const group = "This machine:";

/** Whether it all works, for people and for monitoring. */
export function declareOperations(program: Command, context: Context, outcome: Outcome): void {
  runs(
    "store",
    program
      .command("smoke")
      .helpGroup(group)
      .summary("make one round trip on a store, and erase it again")
      .description(
        "Makes one round trip on the real store, with synthetic material that never enters a case: signs in, uploads a file of two parts, verifies it, shares it, " +
          "opens the link as a stranger, revokes it, proves it dead and erases everything. One exit code, that of the first failure; what has begun is erased whatever happens. " +
          "For officers and admins; a partner's smoke, and one of a folder or a bucket, leaves the steps of sharing out.",
      )
      .argument("[store]", "configured store, or its URL (default: the default store)")
      .option("--timeout <duration>", "fail when all steps together take longer", "2m"),
    context,
    outcome,
    async () => (await import("./commands/smoke.ts")).run,
  );
}
