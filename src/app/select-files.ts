import picomatch from "picomatch";
import type { SourceEntry } from "../evidence/ports/source.ts";

/** Which of the files found are meant. */
export interface Selection {
  /** Globs; where there are any, a file must fit one of them. */
  readonly include?: readonly string[] | undefined;
  /** Globs; a file that fits one is left out, also where it is included. */
  readonly exclude?: readonly string[] | undefined;
  /** RFC 3339; files that were changed before are left out. */
  readonly newerThan?: string | undefined;
}

/**
 * Tells which files a selection means. A glob without a slash is about the file's name, in any folder (`*.mp4`); one with a
 * slash is about its path below the folder that was named (`nights/*.mp4`). Capitals and small letters are the same, as on the
 * recorders that the files come from.
 */
export function selects(selection: Selection): (entry: SourceEntry) => boolean {
  const included = anyOf(selection.include);
  const excluded = anyOf(selection.exclude);
  const since = selection.newerThan === undefined ? -Infinity : Date.parse(selection.newerThan);
  return (entry) =>
    entry.modifiedAtMs >= since &&
    included?.(entry.path) !== false &&
    excluded?.(entry.path) !== true;
}

function anyOf(globs: readonly string[] | undefined): ((path: string) => boolean) | undefined {
  if (globs === undefined || globs.length === 0) return undefined;
  const fits = globs.map((glob) => {
    const matches = picomatch(glob.replace(/^\//, ""), { nocase: true, dot: true });
    return (path: string): boolean =>
      matches(glob.includes("/") ? belowArgument(path) : path.slice(path.lastIndexOf("/") + 1));
  });
  return (path) => fits.some((fit) => fit(path));
}

/** A path begins with the name of the folder that was named; a file that was named has no more than its name. */
function belowArgument(path: string): string {
  return path.slice(path.indexOf("/") + 1);
}
