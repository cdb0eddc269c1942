import { ExhibitError } from "../../../evidence/errors.ts";
import type { BoxApi } from "../api.ts";
import { failureOf } from "../failures.ts";
import { isFile, type BoxFile } from "../items.ts";
import type { Calls } from "./calls.ts";
import { invitedTo, isOf, removeCollaboration } from "./collaborations.ts";
import type { Desk } from "./desk.ts";
import type { BoxItemId } from "./documents.ts";
import { removeLink } from "./link.ts";
import { movedCopy } from "./moved-copy.ts";
import type { ShelvedShare } from "./shelf.ts";
import { surely } from "./surely.ts";

/** Longest for taking a share down after its making has failed or was stopped. */
export const takeDownMs = 120_000;

/**
 * Takes all of a share away that gives its recipient access: links first, invitations, copies; each is read back. It goes by what lies in
 * the share's own folder, so that it also finds what a crash has left, and what is named nowhere. With `exhibit`, only what belongs
 * to that one. A copy that somebody moved elsewhere in Box is found by its id. Originals are never touched. Repeating it succeeds.
 *
 * @returns ids of copies that were moved and changed by somebody: their links are gone, they stay
 * @throws ExhibitError what kept the first thing that could not be taken away; the others are gone by then
 */
export async function takeDown(
  desk: Desk,
  calls: Calls,
  shelved: ShelvedShare,
  exhibit: string | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const failures: unknown[] = [];
  const each = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
    }
  };
  const folder = await copiesFolder(desk, shelved, signal);
  const copies = folder === undefined ? [] : await copiesIn(desk, shelved, folder.id, signal);
  const going = copies.filter((copy) => exhibit === undefined || copy.exhibit === exhibit);
  if (exhibit === undefined && folder !== undefined) {
    await each(() => removeLink(calls, folder, signal));
  }
  // Also of copies that somebody moved elsewhere.
  const named = shelved.document?.copies ?? [];
  const ofIt = named.filter((copy) => exhibit === undefined || copy.exhibit === exhibit);
  for (const id of new Set([...ofIt.map((copy) => copy.id), ...going.map(({ file }) => file.id)])) {
    await each(() => removeLink(calls, { type: "file", id }, signal));
  }
  for (const id of await collaborationsOf(desk, calls, shelved, exhibit, folder, signal)) {
    await each(() => removeCollaboration(calls, id, shelved.intent.createdBy, signal));
  }
  for (const { file } of going) await each(() => removeFile(calls, file.id, signal));
  const inPlace = new Set(going.map(({ file }) => file.id));
  const left: string[] = [];
  for (const copy of ofIt.filter(({ id }) => !inPlace.has(id))) {
    await each(async () => {
      const found = await movedCopy(calls, shelved.intent, copy, signal);
      if (found === "ours") await removeFile(calls, copy.id, signal);
      if (found === "changed") left.push(copy.id);
    });
  }
  if (exhibit === undefined && folder !== undefined && failures.length === 0) {
    await each(() => removeFolder(calls, folder.id, signal));
    desk.files.folders.forget(desk.shelf.copiesPath(shelved.intent.id));
  }
  if (failures.length > 0) throw failures[0];
  return left;
}

/** What is to be said of copies that {@link takeDown} left. */
export function leftWords(left: readonly string[]): string[] {
  return left.map(
    (id) =>
      `A copy was moved and changed in Box by somebody: file ${id}. Its link is gone, the file stays; delete it in Box when nobody needs it.`,
  );
}

/** The folder of a share's copies, looked up anew. */
async function copiesFolder(
  { files, shelf }: Desk,
  { intent }: ShelvedShare,
  signal: AbortSignal,
): Promise<BoxItemId | undefined> {
  if (intent.access !== "view") return undefined;
  const path = shelf.copiesPath(intent.id);
  files.folders.forget(path);
  const id = await files.folders.find(path, signal);
  return id === undefined ? undefined : { type: "folder", id };
}

interface FoundCopy {
  readonly file: BoxFile;
  readonly exhibit: string;
}

/** What of the plan lies in the folder of copies, under whatever name and content by now. An original that somebody moved there is none. */
async function copiesIn(
  { files }: Desk,
  { intent, document }: ShelvedShare,
  folderId: string,
  signal: AbortSignal,
): Promise<FoundCopy[]> {
  const originals = new Set(intent.copies.map(({ original }) => original));
  const found: FoundCopy[] = [];
  for await (const file of files.folders.items(folderId, signal)) {
    if (!isFile(file) || originals.has(file.id)) continue;
    const planned =
      document?.copies.find(({ id }) => id === file.id) ??
      intent.copies.find(({ name, sha1 }) => name === file.name && sha1 === file.sha1);
    if (planned !== undefined) found.push({ file, exhibit: planned.exhibit });
  }
  return found;
}

/** Ids of the invitations of a share: those that it names, and those that a crash kept it from naming. */
async function collaborationsOf(
  { shelf }: Desk,
  calls: Calls,
  { intent, document }: ShelvedShare,
  exhibit: string | undefined,
  folder: BoxItemId | undefined,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const one of document?.collaborations ?? []) {
    if (exhibit === undefined || one.exhibit === exhibit) ids.add(one.id);
  }
  if (document !== undefined) return ids;
  const places: BoxItemId[] = [
    ...(folder === undefined ? [] : [folder]),
    ...intent.folders.map(({ id }) => ({ type: "folder", id }) as const),
  ];
  for (const place of places) {
    for (const one of await invitedTo(calls, place, signal)) {
      const isOurs = one.created_by?.id === intent.createdBy && isOf(one, intent.recipient.email);
      if (isOurs) ids.add(one.id);
    }
  }
  if (ids.size === 0 || intent.folders.length === 0) return ids;
  // What a later share invited the same person to is that share's. This one may have got as far as its document meanwhile.
  for (const other of await shelf.list(signal)) {
    if (other.intent.id === intent.id) continue;
    for (const { id } of other.document?.collaborations ?? []) ids.delete(id);
  }
  return ids;
}

async function removeFile(calls: Calls, id: string, signal: AbortSignal): Promise<void> {
  const to = `/2.0/files/${id}`;
  const isGone = (): Promise<true | undefined> => gone(calls.api, to, signal);
  await surely(
    async () => {
      const answer = await calls.ask({ method: "DELETE", to }, signal);
      if (answer.status >= 300 && answer.status !== 404) throw failureOf(answer);
      return true;
    },
    isGone,
    signal,
  );
  if (await isGone()) return;
  throw new ExhibitError("unavailable.store", "Box still shows a copy that was deleted.", {
    hint: "Run the same command again.",
  });
}

/** An empty one only: what others put there stays. */
async function removeFolder(calls: Calls, id: string, signal: AbortSignal): Promise<void> {
  const to = `/2.0/folders/${id}`;
  await surely(
    async () => {
      const answer = await calls.ask({ method: "DELETE", to }, signal);
      if (answer.status >= 300 && ![400, 404, 409].includes(answer.status)) throw failureOf(answer);
      return true;
    },
    () => gone(calls.api, to, signal),
    signal,
  );
}

async function gone(api: BoxApi, to: string, signal: AbortSignal): Promise<true | undefined> {
  const answer = await api.ask({ method: "GET", to, query: { fields: "id" } }, signal);
  if (answer.status === 404) return true;
  if (answer.status >= 300) throw failureOf(answer);
  return undefined;
}
