import { ExhibitError } from "../evidence/errors.ts";
import { makePrivateFolder } from "./private-folder.ts";

/**
 * Makes a folder in which this program keeps its state, for this user alone (0700). One that is there stays as it is.
 *
 * @throws ExhibitError `usage.invalid` where none can be; `unavailable.no-space`
 */
export function makeStateFolder(folder: string): void {
  try {
    makePrivateFolder(folder);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT") throw stateDiskFull(cause);
    throw unusable(folder, message, cause);
  }
}

/** What SQLite's own code means for the person whose state is kept in `file`; undefined where it is no trouble of the disk. */
export function stateFailure(file: string, cause: unknown): ExhibitError | undefined {
  const { code, message } = cause as { code?: unknown; message: string };
  if (typeof code !== "string") return undefined;
  if (code.startsWith("SQLITE_FULL")) return stateDiskFull(cause);
  return /^SQLITE_(?:CANTOPEN|READONLY|IOERR|PERM|AUTH)/.test(code)
    ? unusable(file, message, cause)
    : undefined;
}

function unusable(place: string, message: string, cause: unknown): ExhibitError {
  return new ExhibitError(
    "usage.invalid",
    `This computer's state cannot be kept at ${place} (${message}).`,
    {
      hint: "Make it writable for you, or name another folder with EXHIBIT_STATE_DIR; then run the same command again.",
      cause,
    },
  );
}

function stateDiskFull(cause: unknown): ExhibitError {
  return new ExhibitError("unavailable.no-space", "The disk of this computer is full.", {
    hint: "Free some space (the journal of what was sent is kept there), then run the same command again.",
    cause,
  });
}
