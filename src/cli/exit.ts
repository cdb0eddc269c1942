import { CommanderError } from "commander";
import { ExhibitError, familyOf, type ErrorCode } from "../evidence/errors.ts";
import { Interrupted, interruptionOf } from "./interrupted.ts";
import type { Terminal } from "./ui/terminal.ts";
import { visible } from "./ui/visible.ts";

/** The exit code of each family of failures; part of the contract with scripts, never changed. */
export const exitCodes: Readonly<Record<string, number>> = {
  usage: 2,
  partial: 3,
  auth: 4,
  "not-found": 5,
  integrity: 6,
  unavailable: 7,
  conflict: 8,
  policy: 9,
};
const bug = 1;
const interrupted = { SIGINT: 130, SIGTERM: 143 } as const;

/** The exit code for a failure with this code. */
export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[familyOf(code)] ?? bug;
}

/**
 * The exit code for several things of which some failed: 0 when none did; that of the failures when nothing
 * succeeded and all failed alike; else 3.
 */
export function exitCodeOfMany(
  succeeded: number,
  failed: Iterable<{ readonly code: ErrorCode }>,
): number {
  const codes = new Set<number>();
  for (const { code } of failed) codes.add(exitCodeOf(code));
  const [only, ...others] = codes;
  if (only === undefined) return 0;
  return succeeded === 0 && others.length === 0 ? only : exitCodeOf("partial.failed");
}

interface Words {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly facts?: Readonly<Record<string, string | number>>;
  readonly stack?: string | undefined;
}

/**
 * Turns whatever went wrong into words on stderr (with `json` one line of JSON) and gives the exit code. The only
 * place that does.
 */
export async function reportFailure(
  error: unknown,
  terminal: Terminal,
  options: { readonly json: boolean; readonly signal: AbortSignal },
): Promise<number> {
  if (error instanceof CommanderError && isAnswer(error)) return error.exitCode === 0 ? 0 : 2;
  const words = wordsFor(error, options.signal);
  if (options.json) {
    const { code, message, hint, facts } = words;
    const shown = facts !== undefined && Object.keys(facts).length > 0 ? { facts } : {};
    terminal.error.write(`${JSON.stringify({ type: "error", code, message, hint, ...shown })}\n`);
    return words.exitCode;
  }
  const { themeFor } = await import("./ui/theme.ts");
  const theme = themeFor(terminal.color);
  const label = words.code === "interrupted" ? "" : `${theme.bad("error:")} `;
  terminal.error.write(`${label}${visible(words.message)}\n`);
  if (words.hint !== undefined) terminal.error.write(`${visible(words.hint)}\n`);
  if (words.stack !== undefined) terminal.error.write(`\n${words.stack}\n`);
  return words.exitCode;
}

/** Help and version come as errors from commander; they have been printed. */
function isAnswer(error: CommanderError): boolean {
  return ["commander.helpDisplayed", "commander.help", "commander.version"].includes(error.code);
}

function wordsFor(error: unknown, signal: AbortSignal): Words {
  const stopped = error instanceof Interrupted ? error : interruption(error, signal);
  if (stopped !== undefined) {
    const { message, hint, signalName } = stopped;
    return { exitCode: interrupted[signalName], code: "interrupted", message, hint };
  }
  if (error instanceof ExhibitError) {
    const { code, message, hint, facts } = error;
    return { exitCode: exitCodeOf(code), code, message, hint, facts };
  }
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, "").replace(/\s+/g, " ");
    return {
      exitCode: exitCodeOf("usage.invalid"),
      code: "usage.invalid",
      message: `${message.charAt(0).toUpperCase()}${message.slice(1).replace(/\.$/, "")}.`,
      hint: "See exhibit --help, or --help behind a command.",
    };
  }
  return {
    exitCode: bug,
    code: "bug",
    message: `Something that should not happen: ${error instanceof Error ? error.message : String(error)}`,
    hint: "This is a mistake in exhibit. What was sent is safe; please report the lines below.",
    stack: error instanceof Error ? error.stack : undefined,
  };
}

/** Ctrl-C in a prompt, and anything that fails because it was told to stop; a broken digest stays what it is. */
function interruption(error: unknown, signal: AbortSignal): Interrupted | undefined {
  const name = error instanceof Error ? error.name : "";
  if (name === "ExitPromptError") return new Interrupted("SIGINT");
  if (error instanceof ExhibitError && familyOf(error.code) === "integrity") return undefined;
  return interruptionOf(signal);
}
