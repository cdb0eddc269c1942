import { buildProgram } from "./program.ts";
import type { Context } from "./context.ts";
import { reportFailure } from "./exit.ts";

/** Runs one command line (without `node` and the script) and gives its exit code; `meant` reads the line as this system writes it. Never throws. */
export async function run(
  argv: readonly string[],
  context: Context,
  meant: (argv: readonly string[]) => readonly string[] = (given) => given,
): Promise<number> {
  const outcome = { exitCode: 0 };
  try {
    await buildProgram(context, outcome).parseAsync(meant(argv), { from: "user" });
    return outcome.exitCode;
  } catch (error) {
    const behind = argv.indexOf("--");
    const json = (behind < 0 ? argv : argv.slice(0, behind)).includes("--json");
    return reportFailure(error, context.terminal, { json, signal: context.signal });
  }
}
