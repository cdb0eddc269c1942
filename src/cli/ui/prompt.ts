import { ExhibitError } from "../../evidence/errors.ts";
import { interruptionOf } from "../interrupted.ts";
import type { Terminal } from "./terminal.ts";

/** One thing that is missing, and how to give it without being asked. */
export interface Question {
  readonly message: string;
  /** The flag, or the argument in words. */
  readonly flag: string;
  /** Shown as stars. */
  readonly secret?: boolean;
  readonly optional?: boolean;
  readonly suggestion?: string;
  /** What is wrong with an answer, in words; undefined when nothing is. */
  readonly problem?: (answer: string) => string | undefined;
}

export interface AskOptions {
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/**
 * Asks a person on stderr. Never asks when there is none.
 *
 * @throws ExhibitError `usage.missing`, naming the flag, where stdin or stderr is no terminal, or with `--json`
 */
export async function ask(question: Question, options: AskOptions): Promise<string> {
  const { terminal, signal } = options;
  if (!terminal.interactive || options.json) {
    throw new ExhibitError("usage.missing", `${question.flag} is missing.`, {
      hint: "There is no terminal to ask at, so it must be given on the command line. See --help.",
    });
  }
  const stopped = interruptionOf(signal);
  if (stopped !== undefined) throw stopped;
  const { createPromptModule } = await import("inquirer");
  const prompt = createPromptModule({
    input: terminal.input,
    output: terminal.error,
  });
  const asking = prompt<{ answer: string }>([
    {
      type: question.secret === true ? "password" : "input",
      name: "answer",
      message: question.message,
      ...(question.secret === true ? { mask: "*" } : {}),
      ...(question.suggestion === undefined ? {} : { default: question.suggestion }),
      validate: (answer: string) =>
        answer.trim() === ""
          ? question.optional === true || "This is needed."
          : (question.problem?.(answer) ?? true),
    },
  ]);
  const stop = (): void => {
    asking.ui.close();
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    return (await asking).answer.trim();
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
