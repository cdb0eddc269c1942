import { sha1Of } from "../../../evidence/digest.ts";
import { ExhibitError, familyOf } from "../../../evidence/errors.ts";
import { waitedAfter } from "../calm.ts";
import type { Files } from "../files.ts";
import type { Folders } from "../folders.ts";

const mostTries = 3;
const firstPauseMs = 300;

/**
 * Makes a change in Box of which one must know whether it was made: Box may say 503 and make it all the same. Where the answer leaves a
 * doubt, `look` finds out whether it took effect, and only where it did not it is tried again.
 *
 * @throws the failure of the last try; the signal's reason
 */
export async function surely<Result>(
  act: () => Promise<Result>,
  look: () => Promise<Result | undefined>,
  signal: AbortSignal,
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      signal.throwIfAborted();
      if (!isDoubtful(error)) throw error;
      // What Box was busy with comes to light a little later.
      await waitedAfter(error, firstPauseMs, tries - 1, signal);
      const found = await look();
      if (found !== undefined) return found;
      if (tries === mostTries) throw error;
    }
  }
}

function isDoubtful(error: unknown): error is ExhibitError {
  return error instanceof ExhibitError && familyOf(error.code) === "unavailable";
}

/** The id of a folder below the store's own, made for sure where it is not there: to ask twice for it is no harm. */
export async function surelyFolder(
  folders: Folders,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  return surely(
    () => folders.ensure(path, signal),
    () => Promise.resolve(undefined),
    signal,
  );
}

/** Writes a JSON document for sure, under a name that nothing else has. False where something else has that name. */
export async function surelyDocument(
  files: Files,
  folder: string,
  name: string,
  document: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  const bytes = Buffer.from(`${JSON.stringify(document)}\n`);
  const there = async (): Promise<true | undefined> => {
    const file = await files.findIn(folder, name, signal);
    return file?.sha1 === sha1Of(bytes) ? true : undefined;
  };
  return surely(
    async () => {
      const made = await files.create(folder, name, bytes, signal);
      return "file" in made || (await there()) === true;
    },
    there,
    signal,
  );
}
