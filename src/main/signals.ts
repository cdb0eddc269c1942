import { Interrupted } from "../cli/interrupted.ts";

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The first Ctrl-C (on Windows Ctrl-Break, too), SIGTERM or SIGHUP aborts the signal, so that work is parked; the second leaves at once. It watches until
 * the process ends.
 */
export function watchSignals(process: NodeJS.Process): AbortSignal {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    // A terminal or window that is closed (SIGHUP) asks for the same as SIGTERM; Windows then gives it some ten seconds.
    const known = name === "SIGINT" || name === "SIGBREAK" ? "SIGINT" : "SIGTERM";
    if (controller.signal.aborted) process.exit(exitCodes[known]);
    controller.abort(new Interrupted(known));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.on("SIGHUP", onSignal);
  if (process.platform === "win32") process.on("SIGBREAK", onSignal);
  return controller.signal;
}
