import { sha256Of } from "../evidence/digest.ts";
import type { Connection } from "../evidence/ports/connection.ts";
import type { JournalJob } from "../evidence/ports/journal.ts";
import type { UploadRequest } from "./upload-request.ts";

/**
 * The journal's entry for an upload command. The same command has the same id, whatever is said about speed or in the
 * record, so that running it again goes on with the same job.
 */
export function uploadJob(
  request: UploadRequest,
  { name, store, register }: Pick<Connection, "name" | "store" | "register">,
  now: Date,
): JournalJob {
  const { paths, base, include, exclude, newerThan } = request;
  const { case: caseRef, reference, sourceId, oneExhibit, retention, rows } = request;
  const identity = JSON.stringify([
    // A name may be given to another store, and an address to another server.
    ...[name, store.url, register.issuerKey.x, paths, caseRef, reference, sourceId, oneExhibit],
    ...[base, include, exclude, newerThan],
    // What an earlier run had brought in was not retained by it.
    ...(retention === undefined ? [] : [retention]),
    ...(rows === undefined ? [] : [rows]),
  ]);
  return {
    id: `job-${sha256Of(identity).slice(0, 12)}`,
    store: name,
    request: { ...request, store: name },
    startedAt: now.toISOString(),
  };
}
