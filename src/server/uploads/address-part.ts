import type { PartAddress } from "../../evidence/ports/direct-parts.ts";
import type { HashedPart } from "../../evidence/ports/store.ts";
import type { UploadRow } from "../database/exhibit-tables.ts";
import type { ServerDeps } from "../deps.ts";
import { keepAlive } from "./receive-part.ts";
import { inContent } from "./upload-rows.ts";

/**
 * Where a part goes straight to the engine behind the content store; undefined for one that must come through the server. Hearing
 * from an upload keeps it from expiring.
 *
 * @throws ExhibitError `conflict.part-differs`, `not-found.upload`, `usage.invalid`
 */
export async function addressPart(
  deps: Pick<ServerDeps, "database" | "directParts" | "clock" | "settings">,
  row: UploadRow,
  part: HashedPart,
  signal: AbortSignal,
): Promise<PartAddress | undefined> {
  const address = await deps.directParts?.addressOf(inContent(row), part, signal);
  if (address !== undefined) await keepAlive(deps, row);
  return address;
}
