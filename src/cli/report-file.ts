import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { ExhibitError } from "../evidence/errors.ts";

/** A file that tells, a JSON line each, what became of everything that was to be uploaded. */
export interface ReportFile {
  readonly onOutcome: (outcome: { readonly type: string }) => void;
  /** Flushes and closes it. @throws ExhibitError `unavailable.no-space`, `usage.invalid` when a line could not be written */
  close(): void;
}

/**
 * Begins a report, in place of what the file held. Each line is written as soon as it is known, so that the report of a run that
 * was killed holds what had happened until then. It names files and people's folders: readable by this user only.
 *
 * @throws ExhibitError `usage.invalid` when it cannot be written there; `unavailable.no-space`
 */
export function openReport(file: string): ReportFile {
  const write = <Result>(act: () => Result): Result => {
    try {
      return act();
    } catch (cause) {
      throw unwritable(file, cause);
    }
  };
  const handle = write(() => openSync(file, "w", 0o600));
  let failure: { readonly cause: unknown } | undefined;
  return {
    // What cannot be reported has happened all the same: it is told at the end, and stops no upload.
    onOutcome: (outcome) => {
      if (failure !== undefined) return;
      try {
        writeSync(handle, `${JSON.stringify(outcome)}\n`);
      } catch (cause) {
        failure = { cause };
      }
    },
    close: () => {
      try {
        if (failure !== undefined) throw unwritable(file, failure.cause);
        write(() => {
          fsyncSync(handle);
        });
      } finally {
        closeSync(handle);
      }
    },
  };
}

/** What is said of a report that cannot be written. */
export function unwritable(file: string, cause: unknown): ExhibitError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new ExhibitError(
    code === "ENOSPC" || code === "EDQUOT" ? "unavailable.no-space" : "usage.invalid",
    `The report cannot be written to ${file} (${message}).`,
    {
      hint: "Make room there or choose another place with --report, then run the same command again.",
      cause,
    },
  );
}
