import { ExhibitError } from "../../evidence/errors.ts";
import { findStored } from "../content/stored-files.ts";
import type { StoredFileRow, UploadRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import type { ProvingJobs, StillProving } from "./proving-jobs.ts";
import { unknownUpload } from "./upload-rows.ts";

/** How long one request waits for a proof before it is told to ask again. */
const patienceMs = 5000;

/**
 * Finishes an upload, or says how far its proof has come. Asking again after a lost answer gives the same answer.
 *
 * @throws ExhibitError `integrity.mismatch`, `conflict.*`, `not-found.upload`
 */
export async function completeUpload(
  { database }: Pick<ServerDeps, "database">,
  jobs: ProvingJobs,
  row: UploadRow,
  sha256: string,
): Promise<StoredFileRow | StillProving> {
  if (row.state !== "done") return jobs.ask(row, sha256, patienceMs);
  const stored = await findStored(database, row.key);
  if (stored === undefined) throw unknownUpload();
  if (stored.sha256 === sha256) return stored;
  throw new ExhibitError("integrity.mismatch", "This upload was finished with another digest.", {
    hint: "Check the source: it is not what was sent.",
  });
}
