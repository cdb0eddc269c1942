import path from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Connection } from "../../evidence/ports/connection.ts";
import type { UploadRequest } from "../upload-request.ts";
import type { CheckedList } from "./check-rows.ts";

/**
 * Refuses a list, before anything is sent, of which some rows name no reference where the store gives none.
 *
 * @throws ExhibitError `usage.missing`
 */
export function requireReferences(
  { firstWithoutReference }: CheckedList,
  { paths }: UploadRequest,
  { name, store }: Connection,
): void {
  if (firstWithoutReference === undefined || store.capabilities.allotsReferences) return;
  throw new ExhibitError(
    "usage.missing",
    `Row ${firstWithoutReference} of ${path.basename(paths[0] ?? "")} names no reference, and the store ${name} gives none. Nothing was sent.`,
    { hint: "Fill the column reference in every row, such as ABC/1, ABC/2 and on." },
  );
}
