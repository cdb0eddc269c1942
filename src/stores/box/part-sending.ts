import pLimit, { type LimitFunction } from "p-limit";
import { sha1Of, sha256Of } from "../../evidence/digest.ts";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { Part } from "../../evidence/ports/store.ts";
import { bodyOf, type BoxApi } from "./api.ts";
import type { Note } from "./notes.ts";
import { looksGone, partAnswerSchema, partAt, whyGone } from "./sessions.ts";

/** Hosts of a Box Zone, where parts that are sent at once hinder each other (Box's own uploader sends one at a time there). */
const zoneHost = "fupload-ec2";

interface HashedForBox {
  readonly part: Part;
  readonly sha1: string;
}

/** Sends parts, and asks Box first wherever one may have arrived already: it takes none twice (Box: parts are immutable). */
export class PartSending {
  readonly #api: BoxApi;
  readonly #inZone: LimitFunction;
  /** Offsets of parts that may have arrived although Box did not say so, by the upload's token. */
  readonly #doubtful = new Map<string, Set<number>>();

  constructor(api: BoxApi) {
    this.#api = api;
    this.#inZone = pLimit(api.address.zoneParts);
  }

  /** Settles once Box holds this very part. @throws ExhibitError `conflict.part-differs`, `integrity.mismatch`, `not-found.upload`, `unavailable.*` */
  async send(note: Note, hashed: HashedForBox, signal: AbortSignal): Promise<void> {
    const { offset } = hashed.part;
    const doubtful = this.#doubtful.get(note.token) ?? new Set();
    this.#doubtful.set(note.token, doubtful);
    const isDoubtful = doubtful.delete(offset);
    try {
      if (isDoubtful && (await this.#holds(note, offset, hashed.sha1, signal))) return;
      const once = (): Promise<void> => this.#once(note, hashed, signal);
      const { host } = new URL(note.endpoints.upload_part);
      await (host.includes(zoneHost) ? this.#inZone(once) : once());
    } catch (error) {
      if (!hasCode(error, "not-found.upload")) doubtful.add(offset);
      throw error;
    }
  }

  /** An upload is no more. */
  forget({ token }: Note): void {
    this.#doubtful.delete(token);
  }

  async #once(note: Note, { part, sha1 }: HashedForBox, signal: AbortSignal): Promise<void> {
    const { offset, length, bytes } = part;
    const answer = await this.#api.ask(
      {
        method: "PUT",
        to: note.endpoints.upload_part,
        headers: {
          "content-type": "application/octet-stream",
          "content-range": `bytes ${offset}-${offset + length - 1}/${note.sizeBytes}`,
          digest: `sha=${Buffer.from(sha1, "hex").toString("base64")}`,
        },
        pieces: [bytes],
      },
      signal,
    );
    if (looksGone(answer)) throw await whyGone(this.#api, note.endpoints, answer, signal);
    // What lies there cannot be replaced (Box: parts are immutable): it is this part, or the upload is another's.
    if (answer.status === 409 && (await this.#holds(note, offset, sha1, signal))) return;
    const { part: stored } = bodyOf(partAnswerSchema, answer);
    const isIt = stored.offset === offset && stored.size === length && stored.sha1 === sha1;
    if (isIt || (await this.#holds(note, offset, sha1, signal))) return;
    throw new ExhibitError(
      "integrity.mismatch",
      "Box says that a part did not arrive as it was sent.",
      {
        hint: "Run the same command again; if it happens again, tell your administrator.",
        facts: { offset },
      },
    );
  }

  /** Whether the session has this very part. @throws ExhibitError `conflict.part-differs` when another one lies there */
  async #holds(note: Note, offset: number, sha1: string, signal: AbortSignal): Promise<boolean> {
    const there = await partAt(this.#api, note.endpoints, offset, signal);
    if (there === undefined) return false;
    if (there.sha1 === sha1) return true;
    throw new ExhibitError(
      "conflict.part-differs",
      "Another part lies at this place of the upload.",
      {
        hint: "A part in Box cannot be replaced. Abort the upload and begin again: exhibit uploads list.",
        facts: { offset },
      },
    );
  }
}

/** The SHA-1 of a part that came without, when it is what its SHA-256 says. @throws ExhibitError `integrity.mismatch` */
export function sha1IfUnchanged({ bytes, sha256, offset }: Part): string {
  if (sha256Of(bytes) === sha256) return sha1Of(bytes);
  throw new ExhibitError("integrity.mismatch", "A part is not what its digest says.", {
    hint: "Run the same command again.",
    facts: { offset },
  });
}
