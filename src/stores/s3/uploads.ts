import { setTimeout } from "node:timers/promises";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { Part, Stored, StoredPart, Upload } from "../../evidence/ports/store.ts";
import { randomId } from "../../evidence/random-id.ts";
import { checkSizes, lengthOf, partCountOf, partNumberOf } from "./capabilities.ts";
import { readHeaders } from "./encryption.ts";
import { proofOf } from "./enforced.ts";
import { etagOf, keptOfParts, notAsSent, requireSame, type OpenUpload } from "./known-parts.ts";
import { versionIn } from "./kept.ts";
import { hashOf } from "./reading.ts";
import {
  about,
  abortMultipart,
  bare,
  completeMultipart,
  createMultipart,
  isAmbiguous,
  isInTrouble,
  listMultipart,
} from "./multipart.ts";
import { findNote, removeNote, uploadOf, writeNote } from "./notes.ts";
import { OpenUploads } from "./open-uploads.ts";
import {
  bodyHeaders,
  headOf,
  objectOf,
  requireFirst,
  taken,
  type Head,
  type Tried,
} from "./objects.ts";

/** An engine in trouble over putting parts together is asked again at once: Ceph is while another process has it done. */
const mostTries = 4;
const firstPauseMs = 100;

/**
 * The uploads of one bucket. What must outlive this process lies in the bucket: the parts, and a note that the upload is ours.
 * Parts are only ever named by the ETags that they had when they were sent or compared, so that none can be another when
 * they are put together.
 */
export class S3Uploads {
  readonly #store: Tried;
  readonly #clock: Clock;
  readonly #open: OpenUploads;

  constructor(store: Tried, clock: Clock, open = new OpenUploads(store, undefined)) {
    this.#store = store;
    this.#clock = clock;
    this.#open = open;
  }

  async begin(
    key: string,
    sizeBytes: number,
    partBytes: number,
    signal: AbortSignal,
  ): Promise<Upload> {
    const store = this.#store;
    const object = objectOf(store, key);
    checkSizes(sizeBytes, partBytes);
    if ((await headOf(store, object, signal)) !== undefined) throw taken();
    const wanted = { key, sizeBytes };
    const before = await this.#found(wanted, signal);
    if (before !== undefined) return before;
    const token = randomId("u");
    const startedAt = this.#clock.now().toISOString();
    const uploadId = await createMultipart(store, object, token, signal);
    try {
      await writeNote(
        store,
        { schema: "exhibit.s3-upload/1", token, uploadId, ...wanted, partBytes, startedAt },
        signal,
      );
    } catch (error) {
      await abortMultipart(store, object, uploadId, AbortSignal.timeout(10_000));
      const winner = hasCode(error, "conflict.exists")
        ? await this.#found(wanted, signal)
        : undefined;
      if (winner === undefined) throw error;
      return winner;
    }
    return { id: token, key, sizeBytes, partBytes };
  }

  async putPart(upload: Upload, part: Part, signal: AbortSignal): Promise<void> {
    const object = objectOf(this.#store, upload.key);
    const number = partNumberOf(upload, part, part.bytes.byteLength);
    const open = await this.#open.of(upload, signal);
    const announced = open.announced.get(number);
    if (announced !== undefined && !open.parts.has(number)) await this.#open.list(upload, signal);
    const known = open.parts.get(number);
    if (known !== undefined) requireSame(known, part);
    if (known?.sha256 !== undefined) return;
    if (announced !== undefined && announced !== part.sha256)
      await this.#open.retract(upload, number, signal);
    const etag =
      known?.etag ?? (await this.#send(object, open, number, part.bytes, part.sha256, signal));
    const sent = { etag, sizeBytes: part.length, sha256: part.sha256 };
    await this.#open.took(upload, number, sent, signal);
  }

  /** Those whose content is known. */
  listParts(upload: Upload, signal: AbortSignal): Promise<StoredPart[]> {
    return this.#open.list(upload, signal);
  }

  /** `prove`, where it is given, decides whether what lies under the key is it; the upload is forgotten after that only. */
  async complete(
    upload: Upload,
    sha256: string,
    signal: AbortSignal,
    prove?: () => Promise<void>,
  ): Promise<Stored> {
    const store = this.#store;
    const object = objectOf(store, upload.key);
    let etags: readonly string[] | undefined;
    for (let tries = 1; ; tries += 1) {
      const head = await headOf(store, object, signal);
      if (head !== undefined) return this.#settle(upload, head, sha256, etags, signal, prove);
      try {
        const open = await this.#open.of(upload, signal);
        // What was announced may have arrived since.
        if (open.announced.size > 0) await this.#open.list(upload, signal);
        etags = await this.#etags(upload, object, open, signal);
        const { headers } = await completeMultipart(store, object, open.uploadId, etags, signal);
        await this.#requireFirst(upload, versionIn(headers), signal);
        break;
      } catch (error) {
        // Perhaps it was done all the same: by this request, one before it, or another process that is at it now.
        if (!isAmbiguous(error)) throw error;
        const there = await headOf(store, object, signal);
        if (there !== undefined) return this.#settle(upload, there, sha256, etags, signal, prove);
        if (tries === mostTries || !isInTrouble(error)) throw error;
        await setTimeout(firstPauseMs * 2 ** tries, undefined, { signal }).catch(() => undefined);
        signal.throwIfAborted();
      }
    }
    const there = await headOf(store, object, signal);
    if (there?.token !== upload.id || there.sizeBytes !== upload.sizeBytes)
      throw notAsSent(upload, there);
    return this.#done(upload, there, etags, sha256, signal, prove);
  }

  async abort(upload: Upload, signal: AbortSignal): Promise<void> {
    const found = await findNote(this.#store, upload, signal);
    await this.#open.forget(upload);
    if (found?.note.token !== upload.id) return;
    await abortMultipart(
      this.#store,
      objectOf(this.#store, upload.key),
      found.note.uploadId,
      signal,
    );
    await removeNote(this.#store, upload, signal);
  }

  /** The unfinished upload of a key and size, if there is one that the engine still knows. A note that outlived its upload goes. */
  async #found(
    wanted: Pick<Upload, "key" | "sizeBytes">,
    signal: AbortSignal,
  ): Promise<Upload | undefined> {
    const found = await findNote(this.#store, wanted, signal);
    if (found === undefined) return undefined;
    const upload = uploadOf(found.note);
    try {
      await listMultipart(
        this.#store,
        objectOf(this.#store, wanted.key),
        found.note.uploadId,
        signal,
      );
      return upload;
    } catch (error) {
      if (!hasCode(error, "not-found.upload")) throw error;
      await removeNote(this.#store, upload, signal);
      return undefined;
    }
  }

  async #send(
    object: string,
    { uploadId }: OpenUpload,
    number: number,
    bytes: Uint8Array,
    sha256: string | undefined,
    signal: AbortSignal,
  ): Promise<string> {
    const store = this.#store;
    const { headers } = await about(
      store,
      {
        method: "PUT",
        key: object,
        query: { partNumber: String(number), uploadId },
        headers: { ...readHeaders(store.bucket), ...bodyHeaders(store.enforced, bytes) },
        body: bytes,
        ...(sha256 === undefined ? {} : { sha256 }),
      },
      signal,
    );
    return bare(headers["etag"] ?? "");
  }

  /** How the parts are named when they are put together. @throws ExhibitError `integrity.mismatch` while one is missing */
  async #etags(
    upload: Upload,
    object: string,
    open: OpenUpload,
    signal: AbortSignal,
  ): Promise<string[]> {
    if (upload.sizeBytes === 0 && open.parts.size === 0) {
      return [await this.#send(object, open, 1, new Uint8Array(0), undefined, signal)];
    }
    const etags: string[] = [];
    for (let number = 1; number <= partCountOf(upload); number += 1) {
      const part = open.parts.get(number);
      if (part?.sizeBytes !== lengthOf(upload, number)) {
        throw new ExhibitError("integrity.mismatch", "Not every part of the upload has arrived.", {
          hint: "Nothing became visible. Run the same command again: it sends what is missing.",
          facts: { part: number },
        });
      }
      etags.push(part.etag);
    }
    return etags;
  }

  /**
   * Something lies under the key already: a success if it is this very upload, completed before, and of this content. Where its
   * parts do not tell so, it is read again.
   */
  async #settle(
    upload: Upload,
    head: Head,
    sha256: string,
    etags: readonly string[] | undefined,
    signal: AbortSignal,
    prove: (() => Promise<void>) | undefined,
  ): Promise<Stored> {
    if (head.token !== upload.id) throw taken();
    const isSame =
      head.sizeBytes === upload.sizeBytes &&
      (prove !== undefined ||
        (etags !== undefined && head.etag === etagOf(etags)) ||
        (await hashOf(this.#store, upload.key, signal)) === sha256);
    if (!isSame) throw notAsSent(upload, head);
    // Whoever had it put together may have ended before this was known.
    await this.#requireFirst(upload, head.kept.version, signal);
    return this.#done(upload, head, etags, sha256, signal, prove);
  }

  /** Makes sure that what was put together lies over nothing, where the engine itself does not. @throws ExhibitError `conflict.exists` */
  async #requireFirst(
    upload: Upload,
    version: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const store = this.#store;
    if (store.enforced.noOverwriteComplete) return;
    await requireFirst(store, objectOf(store, upload.key), upload.id, version, signal);
  }

  async #done(
    upload: Upload,
    head: Head,
    etags: readonly string[] | undefined,
    sha256: string,
    signal: AbortSignal,
    prove: (() => Promise<void>) | undefined,
  ): Promise<Stored> {
    const open = await this.#open.known(upload);
    const kept = keptOfParts(head, open, etags, this.#store.enforced);
    await prove?.();
    await this.#open.forget(upload);
    await removeNote(this.#store, upload, signal);
    const { key, sizeBytes } = upload;
    return { key, sizeBytes, sha256, proof: proofOf(this.#store.enforced), kept };
  }
}
