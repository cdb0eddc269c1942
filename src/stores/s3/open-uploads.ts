import type { PartMemory } from "../../evidence/ports/part-memory.ts";
import type { StoredPart, Upload } from "../../evidence/ports/store.ts";
import { storedPart, type KnownPart, type OpenUpload } from "./known-parts.ts";
import { listMultipart, noSuchUpload } from "./multipart.ts";
import { findNote } from "./notes.ts";
import { objectOf, type Tried } from "./objects.ts";

/** What this process knows of the unfinished uploads of one bucket, and what is remembered of them beyond it. */
export class OpenUploads {
  readonly #store: Tried;
  readonly #memory: PartMemory | undefined;
  /** By the upload's token. */
  readonly #open = new Map<string, Promise<OpenUpload>>();

  constructor(store: Tried, memory: PartMemory | undefined) {
    this.#store = store;
    this.#memory = memory;
  }

  /** An upload, where this process has worked on it. */
  known({ id }: Upload): Promise<OpenUpload> | undefined {
    return this.#open.get(id);
  }

  /** An upload; found out by the first who asks. @throws ExhibitError `not-found.upload` */
  async of(upload: Upload, signal: AbortSignal): Promise<OpenUpload> {
    const known = this.#open.get(upload.id);
    if (known !== undefined) return known;
    const opening = this.#find(upload, signal);
    this.#open.set(upload.id, opening);
    try {
      return await opening;
    } catch (error) {
      if (this.#open.get(upload.id) === opening) this.#open.delete(upload.id);
      throw error;
    }
  }

  /**
   * Asks the engine which parts it has. Of some, such as those encrypted by a key service, it tells nothing that could be
   * compared: they are left out where they are not known from before.
   */
  async list(upload: Upload, signal: AbortSignal): Promise<StoredPart[]> {
    const open = await this.of(upload, signal);
    const before = new Map(open.parts);
    const object = objectOf(this.#store, upload.key);
    const { parts } = await listMultipart(this.#store, object, open.uploadId, signal);
    for (const [number, part] of before) {
      // What was sent while the engine made its list may be missing in it.
      if (open.parts.get(number) === part) open.parts.delete(number);
    }
    open.unknown.clear();
    const found: StoredPart[] = [];
    for (const held of parts) {
      const newer = open.parts.get(held.number);
      const part =
        newer === undefined
          ? storedPart(upload, held, open, before.get(held.number))
          : storedPart(upload, { ...held, etag: newer.etag }, open, newer);
      if (part === undefined) {
        open.unknown.add(held.number);
        continue;
      }
      found.push(part.stored);
      open.parts.set(held.number, part.known);
    }
    return found;
  }

  /** A part that the engine has taken. */
  async took(
    upload: Upload,
    number: number,
    part: KnownPart & { readonly sha256: string },
    signal: AbortSignal,
  ): Promise<void> {
    const open = await this.of(upload, signal);
    open.parts.set(number, part);
    await this.#memory?.keep(upload.id, { number, ...part });
  }

  /** A part that the engine may get from others, and nothing else in its place; kept before it is said. */
  async announce(
    upload: Upload,
    number: number,
    part: { readonly sizeBytes: number; readonly sha256: string },
    signal: AbortSignal,
  ): Promise<void> {
    const open = await this.of(upload, signal);
    await this.#memory?.keep(upload.id, { number, etag: undefined, ...part });
    open.announced.set(number, part.sha256);
  }

  /** Other bytes are about to be sent where a part was announced: it does not count any more. */
  async retract(upload: Upload, number: number, signal: AbortSignal): Promise<void> {
    const open = await this.of(upload, signal);
    open.announced.delete(number);
    await this.#memory?.forget(upload.id, number);
  }

  async forget({ id }: Upload): Promise<void> {
    this.#open.delete(id);
    await this.#memory?.forget(id);
  }

  async #find(upload: Upload, signal: AbortSignal): Promise<OpenUpload> {
    const found = await findNote(this.#store, upload, signal);
    if (found?.note.token !== upload.id || found.note.partBytes !== upload.partBytes)
      throw noSuchUpload();
    const { uploadId } = found.note;
    const remembered = (await this.#memory?.recall(upload.id)) ?? [];
    const open: OpenUpload = {
      uploadId,
      etagsAreMd5: found.etagsAreMd5,
      parts: new Map(),
      announced: new Map(
        remembered.flatMap(({ number, etag, sha256 }) =>
          etag === undefined ? [[number, sha256] as const] : [],
        ),
      ),
      unknown: new Set(),
    };
    const before = new Map(
      remembered.flatMap(({ number, etag, ...part }) =>
        etag === undefined ? [] : [[number, { etag, ...part }] as const],
      ),
    );
    const object = objectOf(this.#store, upload.key);
    const { parts } = await listMultipart(this.#store, object, uploadId, signal);
    for (const held of parts) {
      const part = storedPart(upload, held, open, before.get(held.number));
      if (part === undefined) open.unknown.add(held.number);
      else open.parts.set(held.number, part.known);
    }
    return open;
  }
}
