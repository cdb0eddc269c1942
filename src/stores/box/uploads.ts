import type { WholeDigests } from "../../evidence/digest.ts";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import type {
  Part,
  Stored,
  StoredPart,
  UnfinishedUpload,
  Upload,
} from "../../evidence/ports/store.ts";
import { randomId } from "../../evidence/random-id.ts";
import { checkSizes, type BoxLimits } from "./capabilities.ts";
import { placeOf, type Files, type Wanted } from "./files.ts";
import { otherHolder } from "./folders.ts";
import { holderIn } from "./items.ts";
import { findNote, listNotes, uploadOf, writeNote, type FoundNote, type Note } from "./notes.ts";
import { PartSending, sha1IfUnchanged } from "./part-sending.ts";
import { putTogether } from "./put-together.ts";
import {
  createSession,
  endSession,
  liveSession,
  noUpload,
  partsOf,
  requirePart,
  storedPart,
  type Session,
} from "./sessions.ts";

/** Uploads in parts: Box's sessions, each known again by its note. */
export class Uploads {
  readonly #files: Files;
  readonly #limits: BoxLimits;
  readonly #clock: Clock;
  readonly #sending: PartSending;
  /** Notes by token: what was read once is not read again. */
  readonly #open = new Map<string, FoundNote>();

  constructor(files: Files, limits: BoxLimits, clock: Clock) {
    this.#files = files;
    this.#limits = limits;
    this.#clock = clock;
    this.#sending = new PartSending(files.api);
  }

  /** The part size is Box's choice. @throws as the port says */
  async begin(
    key: string,
    sizeBytes: number,
    wantedBytes: number,
    signal: AbortSignal,
  ): Promise<Upload> {
    const [folder, name] = placeOf(key);
    checkSizes(sizeBytes, wantedBytes, this.#limits);
    if ((await this.#files.find(key, signal)) !== undefined) throw otherHolder(name, name);
    const folderId = await this.#files.folders.ensure(folder, signal);
    const live = await this.#live({ key, sizeBytes, folderId }, signal);
    if (live !== undefined) return uploadOf(live);
    const { api } = this.#files;
    const begun = await createSession(api, { folderId, name, sizeBytes }, signal);
    if (begun.session === undefined) {
      throw otherHolder(name, holderIn(begun.refused)?.name ?? name);
    }
    const { session, isNew } = begun;
    if (!isNew) await this.#requireUntouched(session, sizeBytes, signal);
    const note = noteOf(session, { key, sizeBytes, folderId }, this.#clock);
    const written = await writeNote(this.#files, note, signal);
    if (written !== undefined) {
      this.#open.set(note.token, written);
      return uploadOf(note);
    }
    // Another process was quicker: its session counts.
    const theirs = await this.#live({ key, sizeBytes, folderId }, signal);
    if (theirs === undefined) throw stillBusy();
    if (theirs.sessionId !== session.id) await endSession(api, note.endpoints, signal);
    return uploadOf(theirs);
  }

  async putPart(upload: Upload, part: Part, signal: AbortSignal): Promise<void> {
    requirePart(upload, part, part.bytes.byteLength);
    const sha1 = part.sha1 ?? sha1IfUnchanged(part);
    const found = await this.#noteOf(upload, signal);
    try {
      await this.#sending.send(found.note, { part, sha1 }, signal);
    } catch (error) {
      if (hasCode(error, "not-found.upload")) await this.#forget(found, signal);
      throw error;
    }
  }

  async listParts(upload: Upload, signal: AbortSignal): Promise<StoredPart[]> {
    const { note } = await this.#noteOf(upload, signal);
    return (await partsOf(this.#files.api, note.endpoints, signal)).map(storedPart);
  }

  async complete(upload: Upload, whole: WholeDigests, signal: AbortSignal): Promise<Stored> {
    const { sha256, sha1 } = whole;
    if (sha1 === undefined) throw new TypeError("Box compares a SHA-1, and none was worked out.");
    const { key, sizeBytes } = upload;
    const wanted: Wanted = { key, sizeBytes, sha256, sha1 };
    const found = await this.#found(upload, signal);
    try {
      if (found === undefined) throw noUpload();
      const stored = await putTogether(this.#files, found.note, wanted, signal);
      await this.#forget(found, signal);
      return stored;
    } catch (error) {
      if (!hasCode(error, "not-found.upload")) throw error;
      // Finished before, by a run that could not tell any more; or the session has ended.
      const stored = await this.#files.same(wanted, signal);
      if (found !== undefined) await this.#forget(found, signal);
      if (stored === undefined) throw error;
      return stored;
    }
  }

  async abort(upload: Upload, signal: AbortSignal): Promise<void> {
    const found = await findNote(this.#files, upload, signal);
    if (found?.note.token !== upload.id) return;
    await endSession(this.#files.api, found.note.endpoints, signal);
    await this.#forget(found, signal);
  }

  async uploads(signal: AbortSignal): Promise<UnfinishedUpload[]> {
    const found: UnfinishedUpload[] = [];
    for await (const { note } of listNotes(this.#files, signal)) {
      try {
        const parts = await partsOf(this.#files.api, note.endpoints, signal);
        found.push({
          ...uploadOf(note),
          startedAt: note.startedAt,
          receivedBytes: parts.reduce((sum, part) => sum + part.size, 0),
          expiresAt: note.expiresAt,
        });
      } catch (error) {
        // Ended, or another user's.
        if (!hasCode(error, "not-found.upload") && !hasCode(error, "policy.not-permitted")) {
          throw error;
        }
      }
    }
    return found.sort((a, b) => a.startedAt.localeCompare(b.startedAt));
  }

  /** The note of an upload that is still alive and leads into this folder; any other is taken away. */
  async #live(
    wanted: Pick<Note, "key" | "sizeBytes" | "folderId">,
    signal: AbortSignal,
  ): Promise<Note | undefined> {
    const found = await findNote(this.#files, wanted, signal);
    if (found === undefined) return undefined;
    const { api } = this.#files;
    const { note } = found;
    const session = await liveSession(api, note.endpoints, signal);
    const isLive = session?.id === note.sessionId;
    if (isLive && note.folderId === wanted.folderId) {
      this.#open.set(note.token, found);
      return note;
    }
    // It leads into a folder that was moved or taken away: what is sent to it would never lie here.
    if (isLive) await endSession(api, note.endpoints, signal);
    await this.#files.remove(found.fileId, signal);
    return undefined;
  }

  /** A live session without a note is ours only where nothing was sent into it: its note was about to be written. */
  async #requireUntouched(session: Session, sizeBytes: number, signal: AbortSignal): Promise<void> {
    const { part_size, total_parts, session_endpoints } = session;
    const parts = await partsOf(this.#files.api, session_endpoints, signal);
    if (parts.length === 0 && total_parts === Math.ceil(sizeBytes / part_size)) return;
    throw new ExhibitError(
      "conflict.unfinished",
      "Something else is being uploaded to this name in Box.",
      { hint: "Wait until it is finished or has expired (7 days), or use another reference." },
    );
  }

  /** @throws ExhibitError `not-found.upload` */
  async #noteOf(upload: Upload, signal: AbortSignal): Promise<FoundNote> {
    const found = await this.#found(upload, signal);
    if (found === undefined) throw noUpload();
    return found;
  }

  async #found(upload: Upload, signal: AbortSignal): Promise<FoundNote | undefined> {
    const known = this.#open.get(upload.id);
    if (known !== undefined) return known;
    const found = await findNote(this.#files, upload, signal);
    if (found?.note.token !== upload.id) return undefined;
    this.#open.set(upload.id, found);
    return found;
  }

  /** The upload is no more: so is its note. */
  async #forget({ note, fileId }: FoundNote, signal: AbortSignal): Promise<void> {
    this.#open.delete(note.token);
    this.#sending.forget(note);
    await this.#files.remove(fileId, signal);
  }
}

function noteOf(
  session: Session,
  about: Pick<Note, "key" | "sizeBytes" | "folderId">,
  clock: Clock,
): Note {
  return {
    schema: "exhibit.box-upload/1",
    token: randomId("u"),
    ...about,
    partBytes: session.part_size,
    startedAt: clock.now().toISOString(),
    expiresAt: new Date(session.session_expires_at).toISOString(),
    sessionId: session.id,
    endpoints: session.session_endpoints,
  };
}

function stillBusy(): ExhibitError {
  return new ExhibitError("unavailable.busy", "Another computer has just begun this upload.", {
    hint: "Try again in a moment.",
  });
}
