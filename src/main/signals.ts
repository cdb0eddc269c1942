import { Interrupted } from "../cli/interrupted.ts";

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The first Ctrl-C or SIGTERM aborts the signal, so that work is parked; the second leaves at once. It watches until
 * the process ends.
 */
export function watchSignals(process: NodeJS.Process): AbortSignal {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    const known = name === "SIGTERM" ? "SIGTERM" : "SIGINT";
    if (controller.signal.aborted) process.exit(exitCodes[known]);
    controller.abort(new Interrupted(known));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}
