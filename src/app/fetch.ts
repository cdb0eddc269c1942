import { ExhibitError, familyOf } from "../evidence/errors.ts";
import type { Arrived } from "../evidence/ports/fetcher.ts";
import type { Deps } from "./deps.ts";
import { openJobs } from "./open-jobs.ts";
import { upload, type UploadCaller, type UploadDeps, type UploadRequest } from "./upload.ts";
import type { UploadedExhibit } from "./upload-outcome.ts";

export interface FetchRequest {
  /** A secret. */
  readonly link: URL;
  readonly mostBytes: number;
  /** What becomes of what it brings. */
  readonly exhibit: Omit<UploadRequest, "paths" | "oneExhibit">;
}

export interface FetchResult {
  readonly exhibit: UploadedExhibit;
  readonly arrived: Pick<Arrived, "name" | "sizeBytes" | "sha256" | "fetched" | "isFromBefore">;
}

/**
 * Brings a link in as an exhibit: onto this computer first, hashed as it arrives, then through an upload like any other, which must
 * find the same bytes. The same link again is the same exhibit.
 *
 * @throws ExhibitError as `Fetcher.fetch`, `upload` and its failures; `conflict.*` where the link brings another file than it did
 */
export async function fetchLink(
  deps: UploadDeps & Pick<Deps, "fetcher">,
  { link, mostBytes, exhibit }: FetchRequest,
  signal: AbortSignal,
  caller: UploadCaller = {},
): Promise<FetchResult> {
  const arrived = await deps.fetcher.fetch({ link, mostBytes }, deps.onEvent, signal);
  const sourceId = exhibit.sourceId ?? `link:${arrived.fetched.urlSha256}`;
  const request = { ...exhibit, sourceId, paths: [arrived.location], oneExhibit: false };
  const { exhibits, failed } = await upload(deps, request, signal, {
    ...caller,
    onSealed: () => deps.fetcher.markSealed(arrived.location),
  });
  const [failure] = failed;
  if (failure !== undefined) {
    const { code, message, hint } = failure;
    // Another file than the one that was sealed: keeping it would have the next try send it again.
    if (familyOf(code) === "conflict") await arrived.discard();
    throw new ExhibitError(code, message, hint === undefined ? {} : { hint });
  }
  const [uploaded] = exhibits;
  if (uploaded === undefined) throw new Error("The upload told of no exhibit.");
  await discardSealed(deps);
  return { exhibit: uploaded, arrived };
}

/** Removes from this computer what links brought, where it is sealed and no unfinished command is about it: also what a command that was killed has left. */
export async function discardSealed(deps: Pick<Deps, "fetcher" | "journal">): Promise<void> {
  const needed = new Set(openJobs(deps.journal, undefined).flatMap(({ shown }) => shown.paths));
  await deps.fetcher.discardSealed((location) => needed.has(location));
}
