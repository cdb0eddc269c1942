import type { Terminal } from "./terminal.ts";

/** Runs `work` under a spinner where there is a live terminal and nothing to count; elsewhere just runs it. */
export async function spin<Result>(
  terminal: Terminal,
  json: boolean,
  text: string,
  work: () => Promise<Result>,
): Promise<Result> {
  // ora writes colour codes even to a stderr that is no terminal, so it is made only for one.
  if (json || !terminal.live) return work();
  const { default: ora } = await import("ora");
  // Left to itself it would count an empty CI as one, and leave its text on the screen.
  const settings = { text, stream: terminal.error, isEnabled: true, discardStdin: false };
  const spinner = ora(settings).start();
  try {
    return await work();
  } finally {
    spinner.stop();
  }
}
