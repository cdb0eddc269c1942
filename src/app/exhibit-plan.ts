import { dirname, relative, sep } from "node:path";
import { ExhibitError } from "../evidence/errors.ts";
import type { SkippedEntry, Source, SourceEntry, WalkWatcher } from "../evidence/ports/source.ts";
import type { Failure } from "./deps.ts";
import { failureOf } from "./failure.ts";
import { selects } from "./select-files.ts";
import { autoSourceId } from "./source-id.ts";
import type { UploadRequest } from "./upload-request.ts";

/** What a record can hold. */
const maxFiles = 10_000;

/** An exhibit that is to be: its files in order, and what the submitter's system calls it. */
export interface ExhibitPlan {
  /** For messages: the path of its file or folder, relative to the argument's parent. */
  readonly path: string;
  readonly files: readonly SourceEntry[];
  readonly sourceId: string;
  readonly totalBytes: number;
}

export interface UploadPlan {
  readonly exhibits: readonly ExhibitPlan[];
  readonly skipped: readonly SkippedEntry[];
  /** What may be evidence and could not be listed. */
  readonly failed: readonly Failure[];
}

/**
 * Lists what is to be uploaded and divides it into exhibits: one for all of it with `oneExhibit`, else one a file.
 * A file that is named twice counts once. One exhibit of which a part could not be listed is none: what is sealed
 * without it would lack it for good.
 *
 * @throws ExhibitError `not-found.source`; `usage.invalid` where there is nothing to send, and where what was said of
 * one exhibit would be said of several
 */
export async function planExhibits(
  source: Source,
  request: UploadRequest,
  signal: AbortSignal,
): Promise<UploadPlan> {
  const skipped: SkippedEntry[] = [];
  const failed: Failure[] = [];
  const watcher: WalkWatcher = {
    skipped: (entry) => skipped.push(entry),
    unlisted: ({ path, error }) => failed.push(failureOf(path, error)),
  };
  const files = new Map<string, SourceEntry>();
  const isMeant = selects(request);
  for (const path of request.paths) {
    const before = { skipped: skipped.length, failed: failed.length };
    let found = 0;
    for await (const listed of source.list(path, watcher)) {
      signal.throwIfAborted();
      found += 1;
      const entry = below(request.base, path, listed);
      if (isMeant(entry)) files.set(entry.location, entry);
    }
    if (found === 0 && failed.length === before.failed) {
      throw nothingIn(path, skipped.slice(before.skipped));
    }
  }
  if (files.size === 0 && failed.length === 0) throw nothingMeant();
  const entries = [...files.values()];
  if (!request.oneExhibit) return { exhibits: apart(entries, request), skipped, failed };
  const [first] = failed;
  if (first === undefined) return { exhibits: [together(entries, request)], skipped, failed };
  return { exhibits: [], skipped, failed: [...failed, incomplete(first)] };
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

/** The exhibit that fails with its first missing part. */
function incomplete({ path, code }: Failure): Failure {
  return {
    path: path.split("/")[0] ?? "",
    code,
    message: "Nothing of this exhibit was sent, because not all of it can be read.",
    hint: "Run the same command again when it can, or name only the files that belong to the exhibit.",
  };
}

function together(files: readonly SourceEntry[], request: UploadRequest): ExhibitPlan {
  if (files.length > maxFiles) {
    throw new ExhibitError(
      "usage.invalid",
      `One exhibit can hold ${maxFiles} files, not ${files.length}.`,
      {
        hint: "Divide the folder into several exhibits, for example one a day.",
      },
    );
  }
  requireDistinct(files, (file) => file.path + (file.pathBytes ?? ""), "the same name");
  const [first] = files;
  return plan(first?.path.split("/")[0] ?? "", files, request.sourceId);
}

function apart(files: readonly SourceEntry[], request: UploadRequest): ExhibitPlan[] {
  if (files.length > 1) {
    for (const field of ["reference", "sourceId", "receiptFile", "supersedes"] as const) {
      if (request[field] === undefined) continue;
      throw new ExhibitError(
        "usage.invalid",
        `These are ${files.length} exhibits, and ${inWords[field]} is for one only.`,
        { hint: "Make one exhibit of all files with --one-exhibit, or upload them one by one." },
      );
    }
  }
  const exhibits = files.map((file) => plan(file.path, [file], request.sourceId));
  requireDistinct(exhibits, (exhibit) => exhibit.sourceId, "the same name, size and time");
  return exhibits;
}

const inWords = {
  reference: "a reference",
  sourceId: "a source id",
  receiptFile: "a receipt file",
  supersedes: "what it supersedes",
} as const;

function plan(
  path: string,
  files: readonly SourceEntry[],
  sourceId: string | undefined,
): ExhibitPlan {
  return {
    path,
    files,
    sourceId: sourceId ?? autoSourceId(files),
    totalBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
  };
}

/** Two things that look alike would be taken for one and the same, now and when the command is repeated. */
function requireDistinct<Thing extends { readonly path: string }>(
  things: readonly Thing[],
  keyOf: (thing: Thing) => string,
  what: string,
): void {
  const seen = new Set<string>();
  for (const thing of things) {
    if (seen.has(keyOf(thing))) {
      throw new ExhibitError("usage.invalid", `Two different files have ${what}: ${thing.path}.`, {
        hint: "Name the folder that both lie in, so that their folders tell them apart.",
      });
    }
    seen.add(keyOf(thing));
  }
}

function nothingMeant(): ExhibitError {
  return new ExhibitError("usage.invalid", "None of the files there is one that you asked for.", {
    hint: "Check --include, --exclude and --newer-than. Globs need quotes in most shells: --include '*.mp4'.",
  });
}

function nothingIn(path: string, skipped: readonly SkippedEntry[]): ExhibitError {
  const [first] = skipped;
  const why = first === undefined ? "it is empty" : `${first.path} is ${first.reason}`;
  return new ExhibitError("usage.invalid", `There is nothing to upload at ${path}: ${why}.`, {
    hint: "Name a file, or a folder that holds files.",
  });
}
