import { keySchema } from "../../evidence/key.ts";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import type { Stored, Told } from "../../evidence/ports/store.ts";
import { sha1Of } from "../../evidence/digest.ts";
import { bodyOf, type BoxAnswer, type BoxApi } from "./api.ts";
import { boxCodeOf, failureOf } from "./failures.ts";
import { Folders, otherHolder, requireNoClash } from "./folders.ts";
import {
  entriesSchema,
  fileSchema,
  holderIn,
  isFile,
  itemFields,
  keptOf,
  type BoxFile,
} from "./items.ts";
import { uploadForm } from "./upload-form.ts";

/** A whole file as it must be. */
export interface Wanted {
  readonly key: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly sha1: string;
}

/** The finished files of a store, by key. Names of one folder are one thing's each, which is how nothing is overwritten. */
export class Files {
  readonly api: BoxApi;
  readonly folders: Folders;
  /** Ids of files that were seen; what one says is asked anew each time. */
  readonly #ids = new Map<string, string>();

  constructor(api: BoxApi) {
    this.api = api;
    this.folders = new Folders(api);
  }

  /** The file under a key; undefined where there is none. @throws ExhibitError `conflict.exists` when its name is something else's */
  async find(key: string, signal: AbortSignal): Promise<BoxFile | undefined> {
    const [folder, name] = placeOf(key);
    return this.findIn(folder, name, signal);
  }

  /** The file of this very name in a folder of the store. */
  async findIn(folder: string, name: string, signal: AbortSignal): Promise<BoxFile | undefined> {
    const folderId = await this.folders.find(folder, signal);
    if (folderId === undefined) return undefined;
    const path = `${folder}/${name}`;
    const known = this.#ids.get(path);
    if (known !== undefined) {
      const file = await this.#byId(known, signal);
      if (file?.parent?.id === folderId && file.name === name) return file;
      this.#ids.delete(path);
    }
    try {
      for await (const item of this.folders.items(folderId, signal)) {
        requireNoClash(item, "file", name);
        if (!isFile(item) || item.name !== name) continue;
        this.#ids.set(path, item.id);
        return item;
      }
    } catch (error) {
      if (!hasCode(error, "not-found.store") || folder === "") throw error;
      // Taken away since it was seen.
      this.folders.forget(folder);
    }
    return undefined;
  }

  /** Remembers where a key lies. */
  saw(key: string, id: string): void {
    this.#ids.set(key, id);
  }

  /**
   * Stores a file in one request, its SHA-1 with it, which Box compares.
   *
   * @returns undefined when its name is taken by `holder`
   * @throws ExhibitError `integrity.mismatch`, `policy.*`, `unavailable.*`
   */
  async create(
    folder: string,
    name: string,
    bytes: Uint8Array,
    signal: AbortSignal,
  ): Promise<{ readonly file: BoxFile } | { readonly holder: string }> {
    const sha1 = sha1Of(bytes);
    const send = async (): Promise<BoxAnswer> => {
      const folderId = await this.folders.ensure(folder, signal);
      const { type, before, after } = uploadForm(name, folderId);
      return this.api.ask(
        {
          method: "POST",
          to: this.api.upload("/files/content"),
          query: { fields: itemFields },
          headers: { "content-type": type, "content-md5": sha1 },
          pieces: [before, bytes, after],
          isUpload: true,
        },
        signal,
      );
    };
    let answer = await send();
    if (answer.status === 404 && folder !== "") {
      // Somebody took the folder away; it is made again once.
      this.folders.forget(folder);
      answer = await send();
    }
    if (answer.status === 409 && boxCodeOf(answer) === "item_name_in_use") {
      return { holder: holderIn(answer)?.name ?? name };
    }
    const file = bodyOf(entriesSchema, answer).entries[0];
    this.#ids.set(`${folder}/${name}`, file.id);
    return { file: await this.checked(file, { sizeBytes: bytes.byteLength, sha1 }, signal) };
  }

  /**
   * What Box says of a file that it stored just now, when that is what was sent. Where it is not, Box is asked once more: the answer
   * may have been spoilt, not the file.
   *
   * @throws ExhibitError `integrity.mismatch`
   */
  async checked(
    file: BoxFile,
    { sizeBytes, sha1 }: Pick<Wanted, "sizeBytes" | "sha1">,
    signal: AbortSignal,
  ): Promise<BoxFile> {
    const isIt = (one: BoxFile): boolean => one.size === sizeBytes && one.sha1 === sha1;
    if (isIt(file)) return file;
    const again = await this.#byId(file.id, signal);
    if (again !== undefined && isIt(again)) return again;
    throw new ExhibitError(
      "integrity.mismatch",
      "Box says that it holds other bytes than were sent.",
      {
        hint: `Do not rely on it. The file in Box has the id ${file.id}; tell your administrator, and keep the source.`,
        facts: { expectedSha1: sha1, foundSha1: again?.sha1 ?? file.sha1, sizeBytes },
      },
    );
  }

  /** What was stored, if the file under the key is this one. @throws ExhibitError `conflict.exists` when it is another */
  async same(wanted: Wanted, signal: AbortSignal): Promise<Stored | undefined> {
    const file = await this.find(wanted.key, signal);
    if (file === undefined) return undefined;
    if (file.size === wanted.sizeBytes && file.sha1 === wanted.sha1) return storedAs(wanted, file);
    throw otherContent();
  }

  /** Why a name could not be had: what lies there is this very file, or something else. @throws ExhibitError `conflict.exists` */
  async sameAsHolder(wanted: Wanted, holder: string, signal: AbortSignal): Promise<Stored> {
    const found = await this.same(wanted, signal);
    if (found !== undefined) return found;
    throw otherHolder(placeOf(wanted.key)[1], holder);
  }

  async told(key: string, signal: AbortSignal): Promise<Told | undefined> {
    const file = await this.find(key, signal);
    return file && { key, sizeBytes: file.size, kept: keptOf(file) };
  }

  /** Takes a file away that is no evidence. What is not there is not an error. */
  async remove(id: string, signal: AbortSignal): Promise<void> {
    const answer = await this.api.ask({ method: "DELETE", to: `/2.0/files/${id}` }, signal);
    if (answer.status >= 300 && answer.status !== 404) throw failureOf(answer);
  }

  async #byId(id: string, signal: AbortSignal): Promise<BoxFile | undefined> {
    const answer = await this.api.ask(
      { method: "GET", to: `/2.0/files/${id}`, query: { fields: itemFields } },
      signal,
    );
    if (answer.status === 404) return undefined;
    const file = bodyOf(fileSchema, answer);
    return file.item_status === undefined || file.item_status === "active" ? file : undefined;
  }
}

/** Box compared the SHA-1 of all of it, and refuses a name that is taken. */
export function storedAs({ key, sizeBytes, sha256 }: Omit<Wanted, "sha1">, file: BoxFile): Stored {
  return { key, sizeBytes, sha256, proof: "transport", kept: keptOf(file) };
}

/** Folder and name of a key. @throws ExhibitError `usage.invalid` for anything that is not a key of ours */
export function placeOf(key: string): readonly [folder: string, name: string] {
  if (!keySchema.safeParse(key).success) {
    throw new ExhibitError("usage.invalid", "This is not a key of this product.", {
      hint: "A key is <case>/<reference>/<name>, as exhibit writes them.",
    });
  }
  const cut = key.lastIndexOf("/");
  return [key.slice(0, cut), key.slice(cut + 1)];
}

function otherContent(): ExhibitError {
  return new ExhibitError("conflict.exists", "Other content lies under this name in Box.", {
    hint: "It is never overwritten. Use another reference.",
  });
}
