import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { Stored } from "../../evidence/ports/store.ts";
import { bodyOf } from "./api.ts";
import { waited } from "./calm.ts";
import { boxCodeOf } from "./failures.ts";
import { storedAs, type Files, type Wanted } from "./files.ts";
import { entriesSchema, holderIn } from "./items.ts";
import type { Note } from "./notes.ts";
import { secondsIn } from "./reading.ts";
import { endSession, looksGone, noFolder, partsOf, whyGone } from "./sessions.ts";

/** Right after the last part Box may not know it yet; after so many tries it is missing. */
const mostMismatches = 6;
const usualSeconds = 2;

/**
 * Has Box put the parts of a session together and compare the SHA-1 of the whole. Box may take as long as it likes to process them (202);
 * a name that was taken meanwhile by this very file is no conflict.
 *
 * @throws ExhibitError `integrity.mismatch`, `conflict.exists`, `not-found.upload`, `unavailable.*`
 */
export async function putTogether(
  files: Files,
  { endpoints, folderId }: Pick<Note, "endpoints" | "folderId">,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Stored> {
  const { api } = files;
  let mismatches = 0;
  for (;;) {
    const parts = await partsOf(api, endpoints, signal);
    const bytes = parts.reduce((sum, part) => sum + part.size, 0);
    if (bytes !== wanted.sizeBytes) throw incomplete(bytes, wanted.sizeBytes);
    const answer = await api.ask(
      {
        method: "POST",
        to: endpoints.commit,
        headers: { digest: `sha=${Buffer.from(wanted.sha1, "hex").toString("base64")}` },
        json: { parts },
      },
      signal,
    );
    if (looksGone(answer)) {
      const why = await whyGone(api, endpoints, answer, signal);
      if (hasCode(why, "not-found.upload") || (await files.folders.isThere(folderId, signal)))
        throw why;
      // It can never be finished: what it leads into is gone.
      await endSession(api, endpoints, signal);
      throw noFolder();
    }
    const code = boxCodeOf(answer);
    if (answer.status === 202) {
      await waited(secondsIn(answer.headers, usualSeconds) * 1000, signal);
    } else if (code === "parts_mismatch" && mismatches < mostMismatches) {
      mismatches += 1;
      await waited(secondsIn(answer.headers, mismatches / 2) * 1000, signal);
    } else if (code === "item_name_in_use") {
      return files.sameAsHolder(wanted, holderIn(answer)?.name ?? "", signal);
    } else {
      const [file] = bodyOf(entriesSchema, answer).entries;
      files.saw(wanted.key, file.id);
      return storedAs(wanted, await files.checked(file, wanted, signal));
    }
  }
}

function incomplete(foundBytes: number, sizeBytes: number): ExhibitError {
  return new ExhibitError("integrity.mismatch", "Box does not hold all parts of the file.", {
    hint: "Run the same command again: what is missing is sent.",
    facts: { foundBytes, sizeBytes },
  });
}
