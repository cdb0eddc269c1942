import { ExhibitError } from "../evidence/errors.ts";

/** A path as Windows writes it, with a letter or a computer in front, also behind `--option=`; and the rest of what was swallowed. */
const swallowed = /^((?:--[a-z][a-z-]*=)?(?:[A-Za-z]:\\|\\\\)[^"]*)"(.*)$/s;

/**
 * Arguments as they were meant. On Windows, in `"C:\footage\"` the last backslash takes the quotation mark for a letter, which no path
 * holds: at the end of an argument the mark becomes the backslash that it took.
 *
 * @throws ExhibitError `usage.invalid` where arguments behind it were swallowed, too
 */
export function meantArguments(argv: readonly string[], platform: NodeJS.Platform): string[] {
  if (platform !== "win32") return [...argv];
  return argv.map((argument) => {
    const [, place, rest] = swallowed.exec(argument) ?? [];
    if (place === undefined) return argument;
    if (rest === "") return `${place}\\`;
    throw new ExhibitError(
      "usage.invalid",
      `The quotation mark behind ${place} was taken for part of the path, and so was what follows it.`,
      {
        hint: 'Leave out the backslash before the quotation mark: "C:\\footage", not "C:\\footage\\".',
      },
    );
  });
}
