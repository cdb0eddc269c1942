import type { BigIntStats, OpenDirOptions } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import path from "node:path";
import { ExhibitError } from "../evidence/errors.ts";
import type { Source, SourceEntry, WalkWatcher } from "../evidence/ports/source.ts";
import { inside, isText, locationOf, pathOf } from "./file-names.ts";
import { openSourceFile, sourceStat } from "./source-file.ts";

/** Names of one folder that are in memory, and in order, at a time. */
const namesAtOnce = 10_000;

/** Files that are looked at together: the system answers several questions in the time of one. */
const statsAtOnce = 32;

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

async function* walk(location: string, watcher: WalkWatcher): AsyncGenerator<SourceEntry> {
  const absolute = pathOf(location);
  const relative = Buffer.from(path.basename(absolute.toString("latin1")), "latin1");
  const stat = await lstat(absolute, { bigint: true }).catch((cause: unknown) => {
    throw failure(display(absolute), cause);
  });
  yield* visit({ absolute, relative }, stat, watcher);
}

async function* visit(
  place: Place,
  stat: BigIntStats,
  watcher: WalkWatcher,
): AsyncGenerator<SourceEntry> {
  if (stat.isFile()) yield entryOf(place, stat);
  else if (stat.isDirectory()) yield* folder(place, watcher);
  else watcher.skipped({ path: slashed(place.relative), reason: whyNot(stat) });
}

async function* folder(place: Place, watcher: WalkWatcher): AsyncGenerator<SourceEntry> {
  const names = namesIn(place.absolute);
  for (;;) {
    const next = await orTell(place, watcher, names.next());
    if (next === undefined || next.done === true) return;
    for (let at = 0; at < next.value.length; at += statsAtOnce) {
      const some = next.value.slice(at, at + statsAtOnce);
      yield* visitAll(
        some.map((name) => below(place, name)),
        watcher,
      );
    }
  }
}

function below(place: Place, name: Buffer): Place {
  return {
    absolute: inside(place.absolute, name),
    relative: place.relative.length === 0 ? name : inside(place.relative, name),
  };
}

async function* visitAll(
  places: readonly Place[],
  watcher: WalkWatcher,
): AsyncGenerator<SourceEntry> {
  const stats = await Promise.all(
    places.map((place) => orTell(place, watcher, lstat(place.absolute, { bigint: true }))),
  );
  for (const [index, place] of places.entries()) {
    const stat = stats[index];
    if (stat !== undefined) yield* visit(place, stat, watcher);
  }
}

/** The names in a folder, in order; those of a very large folder in batches, each in order, so that none takes much memory. */
async function* namesIn(folder: Buffer): AsyncGenerator<Buffer[]> {
  // Node's types know no folder whose name is bytes, nor names that are.
  const options = { encoding: "buffer", bufferSize: 1024 } as unknown as OpenDirOptions;
  let names: Buffer[] = [];
  for await (const entry of await opendir(folder, options)) {
    names.push(entry.name as unknown as Buffer);
    if (names.length < namesAtOnce) continue;
    yield inOrder(names);
    names = [];
  }
  yield inOrder(names);
}

function inOrder(names: Buffer[]): Buffer[] {
  return names.sort((a, b) => a.compare(b));
}

/** What `reading` gives; where it fails, the place is reported and the walk goes on. */
async function orTell<Result>(
  place: Place,
  watcher: WalkWatcher,
  reading: Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await reading;
  } catch (error) {
    const path = slashed(place.relative);
    watcher.unlisted({ path, error: failure(path, error) });
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

function failure(name: string, cause: unknown): ExhibitError {
  switch ((cause as NodeJS.ErrnoException).code) {
    case "ENOENT":
    case "ENOTDIR":
      return new ExhibitError("not-found.source", `There is no file or folder ${name}.`, {
        hint: "Check the spelling, and that the disk or share is connected.",
        cause,
      });
    case "EACCES":
    case "EPERM":
      return new ExhibitError("unavailable.source", `You may not read ${name}.`, {
        hint: "Ask for permission to read it, or run this as someone who has it.",
        cause,
      });
    default:
      return new ExhibitError(
        "unavailable.source",
        `${name} cannot be read (${(cause as Error).message}).`,
        {
          hint: "The disk or its cable may be damaged. Do not write to it; copy it first, then try again.",
          cause,
        },
      );
  }
}
