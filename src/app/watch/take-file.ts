import { ExhibitError } from "../../evidence/errors.ts";
import type { SourceEntry } from "../../evidence/ports/source.ts";
import type { Failure } from "../deps.ts";
import { upload, type UploadDeps, type UploadedExhibit } from "../upload.ts";
import type { UploadRequest } from "../upload-request.ts";
import { belowFolder } from "./names.ts";
import type { SidecarSays } from "./sidecars.ts";

/**
 * Uploads one file of a watched folder as an exhibit, as it would be if someone named it with its folder: the same file again, on a machine that lost its
 * state, is found again.
 *
 * @throws ExhibitError `usage.missing` where nothing says its case; as `upload`
 */
export async function takeFile(
  deps: UploadDeps,
  folder: string,
  asked: UploadRequest,
  file: SourceEntry,
  says: SidecarSays,
  signal: AbortSignal,
): Promise<UploadedExhibit | Failure> {
  const { said, sourceId } = says;
  const { source } = said;
  const request: UploadRequest = {
    ...asked,
    ...said,
    ...(source === undefined ? {} : { source: { ...asked.source, ...source } }),
    ...(sourceId === undefined ? {} : { sourceId }),
    paths: [file.location],
    base: folder,
    oneExhibit: false,
  };
  if (request.case === undefined) {
    throw new ExhibitError(
      "usage.missing",
      `Nothing says which case ${belowFolder(file.path)} belongs to.`,
      { hint: "Say it in its sidecar, by --case-from, or for all files with --case." },
    );
  }
  const { exhibits, failed } = await upload(deps, request, signal);
  const [uploaded] = exhibits;
  const [failure] = failed;
  if (uploaded !== undefined) return uploaded;
  if (failure !== undefined) return failure;
  throw new ExhibitError("not-found.source", `${belowFolder(file.path)} is gone.`);
}
