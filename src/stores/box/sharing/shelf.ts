import { buffer } from "node:stream/consumers";
import type { z } from "zod";
import { ExhibitError, hasCode } from "../../../evidence/errors.ts";
import { randomId } from "../../../evidence/random-id.ts";
import type { Files } from "../files.ts";
import { isFile, type BoxFile, type BoxItem } from "../items.ts";
import { readFile } from "../reading.ts";
import {
  intentOf,
  intentSchema,
  shareDocumentSchema,
  shareEventSchema,
  shareIdSchema,
  type Intent,
  type ShareDocument,
  type ShareEvent,
} from "./documents.ts";
import { surelyDocument } from "./surely.ts";

/** Beside the cases: no case can have this name. */
const root = ".shares";
const intentName = "intent.json";
const shareName = "share.json";
const copiesName = "copies";
const logName = /^log-.*\.json$/;
/** Shares that are read at once. */
const atOnce = 4;

/** What Box holds of a share. */
export interface ShelvedShare {
  readonly intent: Intent;
  /** Undefined while, or because, it was never finished. */
  readonly document: ShareDocument | undefined;
  /** What we did with it, oldest first. */
  readonly events: readonly ShareEvent[];
  /** Names of its documents that are not what was written; they count as if they were not there. */
  readonly spoilt: readonly string[];
}

/** The shares of a store: a folder each, in which documents are only ever added. */
export class Shelf {
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
  }

  /** Where the copies of a share lie, below the store's folder. */
  copiesPath(id: string): string {
    return `${root}/${id}/${copiesName}`;
  }

  async begin(intent: Intent, signal: AbortSignal): Promise<void> {
    await this.#write(intent.id, intentName, intent, signal);
  }

  async complete(document: ShareDocument, signal: AbortSignal): Promise<void> {
    await this.#write(document.id, shareName, document, signal);
  }

  async log(event: Omit<ShareEvent, "schema">, signal: AbortSignal): Promise<void> {
    const time = event.at.replaceAll(/[-:.]/g, "");
    const document = { schema: "exhibit.box-share-event/1", ...event };
    await this.#write(event.share, `log-${time}-${randomId("", 8)}.json`, document, signal);
  }

  /** @throws ExhibitError `not-found.share`, `integrity.mismatch` where nothing is left that says what it is */
  async read(given: string, signal: AbortSignal): Promise<ShelvedShare> {
    const id = given.trim().toUpperCase();
    const folderId = shareIdSchema.safeParse(id).success
      ? await this.#files.folders.find(`${root}/${id}`, signal)
      : undefined;
    const found = folderId === undefined ? undefined : await this.#readIn(id, folderId, signal);
    if (found !== undefined) return found;
    throw new ExhibitError("not-found.share", "There is no such share in this store.", {
      hint: "List them with exhibit share list.",
    });
  }

  /** All shares of the store, those that were never finished too, in no order. */
  async list(signal: AbortSignal): Promise<ShelvedShare[]> {
    const rootId = await this.#files.folders.find(root, signal);
    if (rootId === undefined) return [];
    const folders: BoxItem[] = [];
    for await (const item of this.#files.folders.items(rootId, signal)) {
      const isShare = item.type === "folder" && shareIdSchema.safeParse(item.name).success;
      if (isShare) folders.push(item);
    }
    const shares: ShelvedShare[] = [];
    for (let at = 0; at < folders.length; at += atOnce) {
      const some = folders.slice(at, at + atOnce);
      const read = await Promise.all(some.map(({ name, id }) => this.#readIn(name, id, signal)));
      shares.push(...read.filter((one) => one !== undefined));
    }
    return shares;
  }

  async #readIn(
    id: string,
    folderId: string,
    signal: AbortSignal,
  ): Promise<ShelvedShare | undefined> {
    const items: BoxItem[] = [];
    try {
      for await (const item of this.#files.folders.items(folderId, signal)) items.push(item);
    } catch (error) {
      if (!hasCode(error, "not-found.store")) throw error;
      this.#files.folders.forget(`${root}/${id}`);
      return undefined;
    }
    const files = items.filter(isFile);
    const spoiltNames: string[] = [];
    const parsed = async <Body>(
      file: BoxFile | undefined,
      schema: z.ZodType<Body>,
      isOf: (body: Body) => boolean,
    ): Promise<Body | undefined> => {
      if (file === undefined) return undefined;
      const text = await buffer(await readFile(this.#files.api, file.id, undefined, signal));
      const body = schema.safeParse(jsonIn(text.toString("utf8"))).data;
      if (body !== undefined && isOf(body)) return body;
      spoiltNames.push(file.name);
      return undefined;
    };
    const named = (name: string): BoxFile | undefined => files.find((each) => each.name === name);
    const isIts = (body: { readonly id: string }): boolean => body.id === id;
    const begun = await parsed(named(intentName), intentSchema, isIts);
    const document = await parsed(named(shareName), shareDocumentSchema, isIts);
    const intent = begun ?? (document && intentOf(document));
    if (intent === undefined) {
      const [name] = spoiltNames;
      if (name !== undefined) throw spoilt(id, name);
      return undefined;
    }
    const events: ShareEvent[] = [];
    for (const file of files.filter(({ name }) => logName.test(name))) {
      const event = await parsed(file, shareEventSchema, ({ share }) => share === id);
      if (event !== undefined) events.push(event);
    }
    events.sort((a, b) => (a.at < b.at ? -1 : 1));
    return { intent, document, events, spoilt: spoiltNames };
  }

  async #write(id: string, name: string, document: unknown, signal: AbortSignal): Promise<void> {
    const written = await surelyDocument(this.#files, `${root}/${id}`, name, document, signal);
    if (!written) throw spoilt(id, name);
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function spoilt(id: string, name: string): ExhibitError {
  return new ExhibitError(
    "integrity.mismatch",
    `${root}/${id}/${name} in Box is not what was written.`,
    {
      hint: "Somebody changed it. See its versions in Box; Box's administrator can end the share by deleting that folder.",
    },
  );
}
