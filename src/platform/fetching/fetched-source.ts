import path from "node:path";
import { ExhibitError } from "../../evidence/errors.ts";
import type { Source } from "../../evidence/ports/source.ts";
import { openSourceFile } from "../source-file.ts";
import { readSpooled, spoolFiles } from "./spool.ts";

const prefix = "fetched:";

/** Whether a location is that of what a link brought. */
export function isFetched(location: string): boolean {
  return location.startsWith(prefix);
}

/** Where {@link fetchedSource} finds what lies in a spool's folder. */
export function locationOf(spool: string): string {
  return `${prefix}${path.basename(spool)}`;
}

/** The folder, of those below `folder`, in which lies what is at a location. */
export function spoolFolder(folder: string, location: string): string {
  return path.join(folder, path.basename(location.slice(prefix.length)));
}

/** What links brought, below `folder`: each is one file, under the name that its host gave it and with what was said of it there. */
export function fetchedSource(folder: string): Source {
  const folderOf = (location: string): string => spoolFolder(folder, location);
  return {
    async *list(location) {
      const own = folderOf(location);
      const spooled = await readSpooled(own);
      if (spooled?.sha256 === undefined) throw gone();
      const file = await openSourceFile(Buffer.from(spoolFiles(own).content));
      await file.close();
      const { name, fetched, sha256 } = spooled;
      yield {
        ...file.stat,
        modifiedAtMs: modifiedAt(fetched.headers.lastModified, fetched.fetchedAt),
        location,
        path: name,
        pathBytes: undefined,
        arrived: { sha256, fetched },
      };
    },
    open: (location) => openSourceFile(Buffer.from(spoolFiles(folderOf(location)).content)),
  };
}

function modifiedAt(lastModified: string | undefined, fetchedAt: string): number {
  const told = Date.parse(lastModified ?? "");
  return Number.isNaN(told) || told < 0 ? Date.parse(fetchedAt) : told;
}

function gone(): ExhibitError {
  return new ExhibitError(
    "not-found.source",
    "What was fetched is not on this computer any more.",
    {
      hint: "Run exhibit fetch with the link again.",
    },
  );
}
