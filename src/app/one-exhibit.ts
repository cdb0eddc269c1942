import { ExhibitError } from "../evidence/errors.ts";
import type { SourceEntry } from "../evidence/ports/source.ts";
import type { Failure } from "./deps.ts";
import { planOf, type ExhibitPlan } from "./exhibit-plan.ts";
import type { UploadRequest } from "./upload-request.ts";

/** What a record can hold. */
const maxFiles = 10_000;

/** What is said of one exhibit, and would be said of several. */
const ofOneOnly = {
  reference: "a reference",
  sourceId: "a source id",
  receiptFile: "a receipt file",
  supersedes: "what it supersedes",
} as const;

/** Whether a request can only be about one exhibit. */
export function isAboutOne(request: UploadRequest): boolean {
  return request.oneExhibit || saidOfOne(request) !== undefined;
}

function saidOfOne(request: UploadRequest): keyof typeof ofOneOnly | undefined {
  const fields = Object.keys(ofOneOnly) as (keyof typeof ofOneOnly)[];
  return fields.find((field) => request[field] !== undefined);
}

/** Gathers the files of a request that is about one exhibit. A file that is named twice counts once. */
export class OneExhibit {
  readonly #request: UploadRequest;
  readonly #files = new Map<string, SourceEntry>();
  #found = 0;

  constructor(request: UploadRequest) {
    this.#request = request;
  }

  add(file: SourceEntry): void {
    if (this.#files.has(file.location)) return;
    this.#found += 1;
    if (this.#found <= maxFiles) this.#files.set(file.location, file);
  }

  /**
   * The plan of what was gathered; undefined when that is nothing.
   *
   * @throws ExhibitError `usage.invalid` when it is more than one exhibit, or two of its files have one name
   */
  plan(): ExhibitPlan | undefined {
    const { sourceId, oneExhibit } = this.#request;
    const files = [...this.#files.values()];
    const [first] = files;
    if (first === undefined) return undefined;
    if (!oneExhibit) {
      if (this.#found > 1) throw severalExhibits(this.#found, this.#request);
      return planOf(first.path, files, sourceId);
    }
    if (this.#found > maxFiles) throw tooManyFiles(this.#found);
    requireDistinctNames(files);
    return planOf(first.path.split("/")[0] ?? "", files, sourceId);
  }
}

function requireDistinctNames(files: readonly SourceEntry[]): void {
  const seen = new Set<string>();
  for (const { path, pathBytes = "" } of files) {
    if (seen.has(path + pathBytes)) throw alike(path, "the same name");
    seen.add(path + pathBytes);
  }
}

/** Two things that look alike would be taken for one and the same, now and when the command is repeated. */
export function alike(path: string, what: string): ExhibitError {
  return new ExhibitError("usage.invalid", `Two different files have ${what}: ${path}.`, {
    hint: "Name the folder that both lie in, so that their folders tell them apart.",
  });
}

function severalExhibits(found: number, request: UploadRequest): ExhibitError {
  const field = saidOfOne(request);
  const what = field === undefined ? "this" : ofOneOnly[field];
  return new ExhibitError(
    "usage.invalid",
    `These are ${found} exhibits, and ${what} is for one only.`,
    {
      hint: "Make one exhibit of all files with --one-exhibit, or upload them one by one.",
    },
  );
}

function tooManyFiles(found: number): ExhibitError {
  return new ExhibitError(
    "usage.invalid",
    `One exhibit can hold ${maxFiles} files, not ${found}.`,
    {
      hint: "Divide the folder into several exhibits, for example one a day.",
    },
  );
}

/** The exhibit that fails with its first missing part. */
export function incomplete({ path, code }: Failure): Failure {
  return {
    path: path.split("/")[0] ?? "",
    code,
    message: "Nothing of this exhibit was sent, because not all of it can be read.",
    hint: "Run the same command again when it can, or name only the files that belong to the exhibit.",
  };
}
