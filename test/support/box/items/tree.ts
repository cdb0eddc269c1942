import type { User } from "../accounts/users.ts";
import { Refusal } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import {
  currentVersion,
  everythingIn,
  type Content,
  type File,
  type Folder,
  type Item,
} from "./items.ts";

const keptWhenDeleted = 16 * 1024 * 1024;

interface Birth {
  readonly name: string;
  readonly by: User;
  readonly now: Date;
}

/** All files and folders, and the space they take. Checks nothing: those who ask do. */
export class Tree {
  readonly files = new Map<string, File>();
  readonly folders = new Map<string, Folder>();
  private last = 1_200_000_000 + Math.floor(Math.random() * 1_000_000_000);

  nextId(): string {
    this.last += 1 + Math.floor(Math.random() * 7);
    return String(this.last);
  }

  /** The folder `0` of a new user. */
  root(owner: () => User, now: Date): Folder {
    const folder = {
      ...this.common({ name: "All Files", by: undefined as never, now }),
      id: "0",
      kind: "folder" as const,
      parent: undefined,
      children: new Map(),
      reserved: new Map(),
    };
    for (const name of ["owner", "creator", "modifiedBy"]) {
      Object.defineProperty(folder, name, { get: owner });
    }
    return folder;
  }

  addFolder(parent: Folder, birth: Birth): Folder {
    const folder: Folder = {
      ...this.common(birth),
      owner: parent.owner,
      kind: "folder",
      parent,
      children: new Map(),
      reserved: new Map(),
    };
    this.folders.set(folder.id, folder);
    parent.children.set(folder.name.toLowerCase(), folder);
    return folder;
  }

  addFile(parent: Folder, birth: Birth, content: Content, notReady: number): File {
    const file: File = {
      ...this.common(birth),
      owner: parent.owner,
      kind: "file",
      parent,
      versions: [],
      contentCreatedAt: birth.now,
      contentModifiedAt: birth.now,
      notReady,
    };
    this.files.set(file.id, file);
    parent.children.set(file.name.toLowerCase(), file);
    this.addVersion(file, birth, content);
    file.etag = 0;
    return file;
  }

  addVersion(file: File, { by, now }: Omit<Birth, "name">, content: Content): void {
    file.versions.push({ id: this.nextId(), content, createdAt: now, by });
    file.owner.spaceUsed += content.size;
    this.changed(file, by, now);
  }

  rename(item: Item, name: string, parent: Folder): void {
    item.parent?.children.delete(item.name.toLowerCase());
    item.name = name;
    (item as { parent: Folder }).parent = parent;
    parent.children.set(name.toLowerCase(), item);
  }

  remove(item: Item): void {
    const gone = item.kind === "folder" ? [...everythingIn(item), item] : [item];
    item.parent?.children.delete(item.name.toLowerCase());
    for (const one of gone) {
      one.link = undefined;
      if (one.kind === "folder") {
        this.folders.delete(one.id);
      } else {
        this.files.delete(one.id);
        for (const { content } of one.versions) {
          one.owner.spaceUsed -= content.size;
          // An address of the download host outlives its file. A benchmark deletes more than there is memory for.
          if (content.size > keptWhenDeleted) content.buffers = [];
        }
      }
    }
  }

  changed(item: Item, by: User, now: Date): void {
    item.etag += 1;
    item.modifiedAt = now;
    item.modifiedBy = by;
  }

  private common({ name, by, now }: Birth) {
    return {
      id: this.nextId(),
      name,
      owner: by,
      creator: by,
      modifiedBy: by,
      createdAt: now,
      modifiedAt: now,
      description: "",
      etag: 0,
      link: undefined,
      marked: undefined,
      collaborations: new Set<never>(),
      metadata: new Map<string, never>(),
    };
  }
}

/** Refuses a change on the strength of a state that is over. */
export function checkIfMatch(call: Call, item: Item): void {
  const wanted = call.header("if-match");
  if (wanted === undefined || wanted === "*" || wanted.replaceAll('"', "") === String(item.etag)) {
    return;
  }
  throw new Refusal(
    412,
    "precondition_failed",
    "The resource has been modified. Please retrieve the resource again and retry",
  );
}

export function sizeOf(item: Item): number {
  if (item.kind === "file") return currentVersion(item).content.size;
  let sum = 0;
  for (const one of everythingIn(item)) if (one.kind === "file") sum += sizeOf(one);
  return sum;
}
