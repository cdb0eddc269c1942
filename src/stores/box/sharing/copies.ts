import { z } from "zod";
import { ExhibitError } from "../../../evidence/errors.ts";
import { bodyOf, type BoxAnswer } from "../api.ts";
import { boxCodeOf, failureOf } from "../failures.ts";
import type { Folders } from "../folders.ts";
import { fileSchema, isFile, itemFields, type BoxFile } from "../items.ts";
import type { Calls } from "./calls.ts";
import type { MadeCopy, PlannedCopy } from "./documents.ts";
import { surely } from "./surely.ts";

/** Copies that are made at once. */
const atOnce = 4;

/** Makes watermarked copies at Box, in the order of the plan. All or none: what was made before a failure is for the caller to take away. */
export async function makeCopies(
  calls: Calls,
  folders: Folders,
  folderId: string,
  plan: readonly PlannedCopy[],
  signal: AbortSignal,
): Promise<MadeCopy[]> {
  const made: MadeCopy[] = [];
  for (let at = 0; at < plan.length; at += atOnce) {
    const some = plan.slice(at, at + atOnce);
    // Nobody takes copies away while others are still being made.
    const settled = await Promise.allSettled(
      some.map(async (planned, index) => {
        const file = await copied(calls, folders, folderId, planned, signal);
        await marked(calls, file.id, at + index + 1, signal);
        return { ...planned, id: file.id };
      }),
    );
    for (const one of settled) {
      if (one.status === "rejected") throw one.reason;
      made.push(one.value);
    }
  }
  return made;
}

/** A copy at the server, compared by size and SHA-1 with its original. @throws ExhibitError `integrity.mismatch` */
async function copied(
  calls: Calls,
  folders: Folders,
  folderId: string,
  planned: PlannedCopy,
  signal: AbortSignal,
): Promise<BoxFile> {
  const look = async (): Promise<BoxFile | undefined> => {
    for await (const item of folders.items(folderId, signal)) {
      if (isFile(item) && item.name === planned.name) return item;
    }
    return undefined;
  };
  const file = await surely(
    async () => {
      const answer = await calls.ask(
        {
          method: "POST",
          to: `/2.0/files/${planned.original}/copy`,
          query: { fields: itemFields },
          json: { name: planned.name, parent: { id: folderId } },
        },
        signal,
      );
      // Nobody else writes there: it is the copy of a try whose answer was lost.
      const isThere = answer.status === 409 && boxCodeOf(answer) === "item_name_in_use";
      const there = isThere ? await look() : undefined;
      return there ?? bodyOf(fileSchema, answer);
    },
    look,
    signal,
  );
  const isIt = (one: BoxFile | undefined): boolean =>
    one?.size === planned.sizeBytes && one.sha1 === planned.sha1;
  // The answer may have been spoilt, not the copy.
  if (isIt(file) || isIt(await look())) return file;
  throw new ExhibitError("integrity.mismatch", "Box's copy is not the same as its original.", {
    hint: "Nothing was shared. Try again; if it happens again, tell your administrator.",
    facts: { expectedSha1: planned.sha1, foundSha1: file.sha1 },
  });
}

const markSchema = z.object({ watermark: z.object({ created_at: z.string().optional() }) });

/** Has a file watermarked, and reads back that it is. @throws ExhibitError `policy.type-not-markable`, `policy.not-permitted` */
async function marked(
  calls: Calls,
  fileId: string,
  ordinal: number,
  signal: AbortSignal,
): Promise<void> {
  const to = `/2.0/files/${fileId}/watermark`;
  const isMarked = async (): Promise<boolean> => {
    const answer = await calls.ask({ method: "GET", to }, signal);
    if (answer.status === 404) return false;
    bodyOf(markSchema, answer);
    return true;
  };
  await surely(
    async () => {
      const json = { watermark: { imprint: "default" } };
      const answer = await calls.ask({ method: "PUT", to, json }, signal);
      if (answer.status >= 300) throw unmarked(answer, ordinal);
      bodyOf(markSchema, answer);
      return true;
    },
    async () => ((await isMarked()) ? true : undefined),
    signal,
  );
  if (await isMarked()) return;
  throw new ExhibitError(
    "policy.type-not-markable",
    `Box accepted the watermark for file ${ordinal} of the share, and did not make it.`,
    { hint: unmarkableHint, facts: { file: ordinal } },
  );
}

const unmarkableHint =
  "Nothing was shared. Share the unaltered original with --access original, if the recipient may have it, or from an exhibit server.";

function unmarked(answer: BoxAnswer, ordinal: number): ExhibitError {
  const failure = failureOf(answer);
  const { facts } = failure;
  if (answer.status === 403 || answer.status === 404) {
    return new ExhibitError(
      "policy.not-permitted",
      "Box does not let this account put watermarks on files.",
      {
        hint: "Nothing was shared. The plan may be without watermarks, they may be switched off in the Admin Console, or your role in the folder is below Editor: exhibit doctor says which.",
        facts,
        cause: failure,
      },
    );
  }
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
    return new ExhibitError(
      "policy.type-not-markable",
      `Box does not put a watermark on file ${ordinal} of the share.`,
      { hint: unmarkableHint, facts: { ...facts, file: ordinal }, cause: failure },
    );
  }
  return failure;
}
