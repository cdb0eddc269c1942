import { createReadStream } from "node:fs";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { ExhibitError } from "../evidence/errors.ts";

/**
 * The files that a list names, absolute: one a line, or, with `from0`, each ended by a NUL byte, as `find -print0` writes them.
 * Relative ones are below `base`. `-` reads the list from `stdin`. Empty lines are left out.
 *
 * @throws ExhibitError `not-found.source`, `usage.invalid` for an empty list and for names that are not UTF-8
 */
export async function listedFiles(
  list: string,
  options: {
    readonly from0: boolean;
    readonly base: string;
    readonly stdin: NodeJS.ReadableStream;
  },
): Promise<string[]> {
  const { from0, base, stdin } = options;
  const bytes = await buffer(list === "-" ? stdin : createReadStream(list)).catch(
    (cause: unknown) => {
      throw new ExhibitError("not-found.source", `The list of files ${list} cannot be read.`, {
        hint: "Check --files-from.",
        cause,
      });
    },
  );
  const names = textOf(bytes, list)
    .split(from0 ? "\0" : /\r?\n/)
    .filter((name) => name !== "");
  if (names.length === 0) {
    throw new ExhibitError("usage.invalid", `The list of files ${list} is empty.`, {
      hint: from0 ? "With --from0 each name ends with a NUL byte." : "Write one file a line.",
    });
  }
  return names.map((name) => path.resolve(base, name));
}

function textOf(bytes: Buffer, list: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ExhibitError("usage.invalid", `The list of files ${list} is not UTF-8 text.`, {
      hint: "Save it as UTF-8. Files whose own names are not UTF-8 are found by naming their folder.",
      cause,
    });
  }
}
