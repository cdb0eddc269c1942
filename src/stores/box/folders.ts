import { z } from "zod";
import { ExhibitError, hasCode } from "../../evidence/errors.ts";
import { bodyOf, type BoxApi } from "./api.ts";
import { boxCodeOf, failureOf } from "./failures.ts";
import { folderSchema, holderIn, itemFields, itemsSchema, type BoxItem } from "./items.ts";

const standingSchema = z.object({ id: z.string(), item_status: z.string().optional() });

/** Box gives no more at once. */
const pageLength = 1000;

/**
 * The folders of a store, by the segments of their path below its own folder; "" is that folder itself. What was found once is
 * remembered, and looked for again when Box does not know it any more.
 */
export class Folders {
  readonly #api: BoxApi;
  readonly #known = new Map<string, Promise<string>>();

  constructor(api: BoxApi) {
    this.#api = api;
  }

  /** The id of a folder that may be there. @throws ExhibitError `conflict.exists` when its name is something else's */
  async find(path: string, signal: AbortSignal): Promise<string | undefined> {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    if (path === "") return this.#api.address.folderId;
    const [parent, name] = split(path);
    const wasKnown = this.#known.has(parent);
    const parentId = await this.find(parent, signal);
    if (parentId === undefined) return undefined;
    try {
      for await (const item of this.items(parentId, signal)) {
        requireNoClash(item, "folder", name);
        if (item.type === "folder")
          this.#known.set(joined(parent, item.name), Promise.resolve(item.id));
      }
    } catch (error) {
      if (!wasKnown || !hasCode(error, "not-found.store")) throw error;
      // Taken away since it was seen: looked for again, from above.
      this.forget(parent);
      return this.find(path, signal);
    }
    return this.#known.get(path);
  }

  /** The id of a folder, made where it is not there. @throws ExhibitError `conflict.exists` when its name is something else's */
  async ensure(path: string, signal: AbortSignal): Promise<string> {
    if (path === "") return this.#api.address.folderId;
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const making = this.#make(path, signal);
    this.#known.set(path, making);
    making.catch(() => {
      if (this.#known.get(path) === making) this.#known.delete(path);
    });
    return making;
  }

  /** Whether a folder that was there still is, wherever it lies by now; in the trash it is not. */
  async isThere(folderId: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.#api.ask(
      { method: "GET", to: `/2.0/folders/${folderId}`, query: { fields: "id,item_status" } },
      signal,
    );
    if (answer.status === 404 && boxCodeOf(answer) !== undefined) return false;
    const { item_status: status } = bodyOf(standingSchema, answer);
    return status === undefined || status === "active";
  }

  /** Somebody took a folder away: it, and what was below it, is looked for again. */
  forget(path: string): void {
    for (const known of this.#known.keys()) {
      if (known === path || known.startsWith(`${path}/`)) this.#known.delete(known);
    }
  }

  /** Everything that lies in a folder, in no order. @throws ExhibitError `not-found.store` when this account is shown no such folder */
  async *items(folderId: string, signal: AbortSignal): AsyncGenerator<BoxItem> {
    let marker: string | undefined;
    do {
      const page = await this.#api
        .get(
          itemsSchema,
          {
            method: "GET",
            to: `/2.0/folders/${folderId}/items`,
            query: {
              fields: itemFields,
              limit: pageLength,
              usemarker: "true",
              ...(marker === undefined ? {} : { marker }),
            },
          },
          signal,
        )
        .catch((error: unknown) => {
          throw hasCode(error, "not-found.content") ? noFolder(folderId, error) : error;
        });
      yield* page.entries;
      marker = page.next_marker ?? undefined;
    } while (marker !== undefined && marker !== "");
  }

  async #make(path: string, signal: AbortSignal): Promise<string> {
    const [parent, name] = split(path);
    const wasKnown = this.#known.has(parent);
    const parentId = await this.ensure(parent, signal);
    const answer = await this.#api.ask(
      {
        method: "POST",
        to: "/2.0/folders",
        json: { name, parent: { id: parentId } },
      },
      signal,
    );
    if (answer.status === 404 && wasKnown) {
      this.forget(parent);
      return this.ensure(path, signal);
    }
    if (answer.status === 404) throw noFolder(parentId, failureOf(answer));
    if (answer.status !== 409 || boxCodeOf(answer) !== "item_name_in_use") {
      return bodyOf(folderSchema, answer).id;
    }
    const holder = holderIn(answer);
    if (holder?.type === "folder" && (holder.name ?? name) === name) return holder.id;
    throw otherHolder(name, holder?.name ?? name);
  }
}

/**
 * To Box `abc` and `ABC` are one name, of a file or a folder: what we would call so cannot come to lie beside it.
 *
 * @throws ExhibitError `conflict.exists`
 */
export function requireNoClash(item: BoxItem, type: "file" | "folder", name: string): void {
  const isOurs = item.type === type && item.name === name;
  if (!isOurs && item.name.toUpperCase() === name.toUpperCase()) throw otherHolder(name, item.name);
}

/** What a name is refused for that is taken. */
export function otherHolder(name: string, theirs: string): ExhibitError {
  return new ExhibitError(
    "conflict.exists",
    theirs === name
      ? `Something else in Box is called ${name}.`
      : `Something in Box has the name ${name} already, in other capitals.`,
    {
      hint: "Rename or move it in Box, or use another case or reference. Nothing was overwritten.",
    },
  );
}

function noFolder(folderId: string, cause: unknown): ExhibitError {
  return new ExhibitError("not-found.store", `Box shows this account no folder ${folderId}.`, {
    hint: "Check the id in the store's address, and have this account made a collaborator of the folder, as Editor.",
    cause,
  });
}

function split(path: string): readonly [parent: string, name: string] {
  const cut = path.lastIndexOf("/");
  return [path.slice(0, Math.max(0, cut)), path.slice(cut + 1)];
}

function joined(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}
