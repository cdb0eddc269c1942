import { ExhibitError } from "../evidence/errors.ts";
import { buildProgram } from "./program.ts";
import type { Context } from "./context.ts";
import { reportFailure } from "./exit.ts";

/** What surrounds a command line, where it is this process that runs it. */
export interface Surroundings {
  /** Reads the command line as this system writes it. */
  readonly meant: (argv: readonly string[]) => readonly string[];
  /** What kept the result from being printed, though somebody would have read it. */
  readonly unwritten: () => Error | undefined;
}

const none: Surroundings = { meant: (argv) => argv, unwritten: () => undefined };

/** Runs one command line (without `node` and the script) and gives its exit code. Never throws. */
export async function run(
  argv: readonly string[],
  context: Context,
  { meant, unwritten }: Surroundings = none,
): Promise<number> {
  const outcome = { exitCode: 0 };
  const exitCode = await parsed().then(
    () => outcome.exitCode,
    (error: unknown) => failed(error),
  );
  const cause = unwritten();
  return exitCode === 0 && cause !== undefined ? failed(notPrinted(cause)) : exitCode;

  async function parsed(): Promise<void> {
    await buildProgram(context, outcome).parseAsync(meant(argv), { from: "user" });
  }

  function failed(error: unknown): Promise<number> {
    const behind = argv.indexOf("--");
    const json = (behind < 0 ? argv : argv.slice(0, behind)).includes("--json");
    return reportFailure(error, context.terminal, { json, signal: context.signal });
  }
}

/** All was done, and only telling it was not. */
function notPrinted(cause: Error): ExhibitError {
  return new ExhibitError(
    "unavailable.no-space",
    `The result could not be written to where it goes (${cause.message}).`,
    {
      hint: "What the command did is done. Make room there, or have it printed elsewhere, and run the same command again.",
      cause,
    },
  );
}
