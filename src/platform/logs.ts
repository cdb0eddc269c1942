import pino, { type Logger } from "pino";

/**
 * Structured logs, one JSON line each, to a file of this user's, or to stderr. What must never be in a log
 * (`authorization`, cookies) is cut out here as well as where it is written.
 */
export function openLog(file: string | undefined): Logger {
  return pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ["req.headers.authorization", "req.headers.cookie", "headers.authorization"],
        remove: true,
      },
    },
    pino.destination(file === undefined ? 2 : { dest: file, mkdir: true, mode: 0o600, sync: true }),
  );
}
