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
  const spinner = ora({ text, stream: terminal.error, discardStdin: false }).start();
  try {
    return await work();
  } finally {
    spinner.stop();
  }
}
