import { dirname, relative, sep } from "node:path";
import { ExhibitError } from "../evidence/errors.ts";
import type { SkippedEntry, Source, SourceEntry, WalkWatcher } from "../evidence/ports/source.ts";
import { selects } from "./select-files.ts";
import type { UploadRequest } from "./upload-request.ts";

/** What a request says of files. */
export type FilesAsked = Pick<
  UploadRequest,
  "paths" | "base" | "include" | "exclude" | "newerThan"
>;

/**
 * The files at one of the paths that were named, as far as they are meant, with their paths as the record will have them.
 *
 * @throws ExhibitError `not-found.source`; `usage.invalid` when there is nothing at all; the signal's reason
 */
export async function* filesAt(
  source: Source,
  request: FilesAsked,
  path: string,
  watcher: WalkWatcher,
  signal: AbortSignal,
): AsyncGenerator<SourceEntry> {
  const isMeant = selects(request);
  let found = 0;
  let unlisted = 0;
  let firstSkipped: SkippedEntry | undefined;
  const counting: WalkWatcher = {
    skipped: (entry) => {
      firstSkipped ??= entry;
      watcher.skipped(entry);
    },
    unlisted: (entry) => {
      unlisted += 1;
      watcher.unlisted(entry);
    },
  };
  for await (const listed of source.list(path, counting)) {
    signal.throwIfAborted();
    found += 1;
    const entry = below(request.base, path, listed);
    if (isMeant(entry)) yield entry;
  }
  if (found === 0 && unlisted === 0) throw nothingIn(path, firstSkipped);
}

/** The file as it is called below a folder that its argument lies in. */
function below(base: string | undefined, argument: string, entry: SourceEntry): SourceEntry {
  if (base === undefined) return entry;
  const folder = relative(base, dirname(argument)).split(sep).join("/");
  if (folder === "") return entry;
  const { path, pathBytes } = entry;
  const prefix = `${folder}/`;
  return {
    ...entry,
    path: prefix + path,
    pathBytes:
      pathBytes === undefined ? undefined : Buffer.from(prefix).toString("hex") + pathBytes,
  };
}

function nothingIn(path: string, skipped: SkippedEntry | undefined): ExhibitError {
  const why = skipped === undefined ? "it is empty" : `${skipped.path} is ${skipped.reason}`;
  return new ExhibitError("usage.invalid", `There is nothing to upload at ${path}: ${why}.`, {
    hint: "Name a file, or a folder that holds files.",
  });
}

/** Files were found, and none of them is meant. */
export function nothingMeant(): ExhibitError {
  return new ExhibitError("usage.invalid", "None of the files there is one that you asked for.", {
    hint: "Check --include, --exclude and --newer-than. Globs need quotes in most shells: --include '*.mp4'.",
  });
}
