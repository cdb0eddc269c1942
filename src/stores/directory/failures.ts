import { ExhibitError } from "../../evidence/errors.ts";

/** The operating system's own code of a failure (`ENOSPC`), or undefined where it is not one of its. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

const full = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
const denied = new Set(["EACCES", "EPERM", "EROFS"]);
const busy = new Set(["EBUSY", "EMFILE", "ENFILE", "ETXTBSY"]);

/** Runs `work` and turns what the operating system says about the folder `root` into words and a stable code. */
export async function inFolder<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw folderFailure(root, error);
  }
}

/** A failure of the operating system in words; any other error as it is. */
export function folderFailure(root: string, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  const options = { facts: { cause: code }, cause: error };
  if (full.has(code)) {
    return new ExhibitError("unavailable.no-space", `The store at ${root} is full.`, {
      ...options,
      hint: "Make room on that disk or raise its quota, then run the same command again.",
    });
  }
  if (denied.has(code)) {
    return new ExhibitError(
      "policy.not-permitted",
      `This account may not read or write in the store at ${root}.`,
      { ...options, hint: "Check the folder's permissions, and that it is not mounted read-only." },
    );
  }
  if (busy.has(code)) {
    return new ExhibitError("unavailable.busy", `The store at ${root} is busy.`, {
      ...options,
      hint: "Try again in a moment.",
    });
  }
  return new ExhibitError("unavailable.store", `The store at ${root} cannot be used (${code}).`, {
    ...options,
    hint: "Check that the disk or network folder is connected, then run the same command again.",
  });
}
