import type { BigIntStats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import { ExhibitError } from "../evidence/errors.ts";
import type { SkippedEntry, Source, SourceEntry } from "../evidence/ports/source.ts";
import { inside, isText, locationOf, pathOf } from "./file-names.ts";
import { openSourceFile, sourceStat } from "./source-file.ts";

/** Files and folders of this machine as a source of evidence. Opens for reading only and follows no link. */
export function fileSource(): Source {
  return {
    list: walk,
    open: (location) => openSourceFile(pathOf(location)),
  };
}

/** A place on the way down: its own bytes, and its path below the argument's parent. */
interface Place {
  readonly absolute: Buffer;
  readonly relative: Buffer;
}

type OnSkip = (entry: SkippedEntry) => void;

async function* walk(location: string, onSkip: OnSkip): AsyncGenerator<SourceEntry> {
  const absolute = pathOf(location);
  const relative = Buffer.from(path.basename(absolute.toString("latin1")), "latin1");
  let stat: BigIntStats;
  try {
    stat = await lstat(absolute, { bigint: true });
  } catch (cause) {
    throw new ExhibitError("not-found.source", `There is no file or folder ${display(absolute)}.`, {
      hint: "Check the spelling, and that the disk or share is connected.",
      cause,
    });
  }
  yield* visit({ absolute, relative }, stat, onSkip);
}

async function* visit(
  place: Place,
  stat: BigIntStats,
  onSkip: OnSkip,
): AsyncGenerator<SourceEntry> {
  if (stat.isFile()) yield entryOf(place, stat);
  else if (stat.isDirectory()) yield* folder(place, onSkip);
  else onSkip({ path: slashed(place.relative), reason: whyNot(stat) });
}

async function* folder(place: Place, onSkip: OnSkip): AsyncGenerator<SourceEntry> {
  const names = await orSkip(place, onSkip, readdir(place.absolute, { encoding: "buffer" }));
  for (const name of names?.sort((a, b) => a.compare(b)) ?? []) {
    const inner = {
      absolute: inside(place.absolute, name),
      relative: place.relative.length === 0 ? name : inside(place.relative, name),
    };
    const stat = await orSkip(inner, onSkip, lstat(inner.absolute, { bigint: true }));
    if (stat !== undefined) yield* visit(inner, stat, onSkip);
  }
}

/** What `reading` gives; where it fails, the place is reported and the walk goes on. */
async function orSkip<Result>(
  place: Place,
  onSkip: OnSkip,
  reading: Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await reading;
  } catch (error) {
    onSkip({ path: slashed(place.relative), reason: inWords(error) });
    return undefined;
  }
}

function entryOf({ absolute, relative }: Place, stat: BigIntStats): SourceEntry {
  return {
    ...sourceStat(stat),
    location: locationOf(absolute),
    path: slashed(relative),
    pathBytes: isText(relative) ? undefined : relative.toString("hex"),
  };
}

/** Only Windows has another separator; elsewhere a backslash is a letter like any other. */
function slashed(relative: Buffer): string {
  const text = relative.toString("utf8");
  return path.sep === "/" ? text : text.replaceAll(path.sep, "/");
}

function display(absolute: Buffer): string {
  return absolute.toString("utf8");
}

function whyNot(stat: BigIntStats): string {
  if (stat.isSymbolicLink()) return "a link: name the file or folder it points to instead";
  if (stat.isFIFO()) return "a pipe, not a file";
  if (stat.isSocket()) return "a socket, not a file";
  return "a device, not a file";
}

function inWords(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "EACCES":
    case "EPERM":
      return "no permission to read it";
    case "ENOENT":
    case "ENOTDIR":
      return "it vanished while the folder was being read";
    default:
      return `it cannot be read (${(error as Error).message})`;
  }
}
