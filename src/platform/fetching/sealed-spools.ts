import { readdir, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Fetcher } from "../../evidence/ports/fetcher.ts";
import { takePassingLock } from "../file-lock.ts";
import { isFetched, locationOf, spoolFolder } from "./fetched-source.ts";

/** Lies in the spool of what is sealed. */
const sealedName = "sealed";

/** What becomes of the spools below `folder` once what they hold is sealed. */
export function sealedSpools(folder: string): Pick<Fetcher, "markSealed" | "discardSealed"> {
  return {
    async markSealed(location) {
      if (isFetched(location)) {
        await writeFile(path.join(spoolFolder(folder, location), sealedName), "");
      }
    },
    async discardSealed(isNeeded) {
      for (const name of await readdir(folder).catch(() => [])) {
        const spool = path.join(folder, name);
        const isSealed = await stat(path.join(spool, sealedName)).catch(() => undefined);
        if (isSealed === undefined || isNeeded(locationOf(spool))) continue;
        const release = takePassingLock(`${spool}.lock`);
        if (release === undefined) continue;
        await rm(spool, { recursive: true, force: true });
        release();
      }
    },
  };
}
