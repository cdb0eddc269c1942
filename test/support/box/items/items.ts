import type { User } from "../accounts/users.ts";
import type { Collaboration } from "../sharing/collaborations.ts";
import type { SharedLink } from "../sharing/link.ts";

/** Bytes that were sent once, kept as they came in, until their file is deleted. */
export interface Content {
  buffers: readonly Buffer[];
  readonly size: number;
  /** In hex. */
  readonly sha1: string;
}

export interface FileVersion {
  readonly id: string;
  readonly content: Content;
  readonly createdAt: Date;
  readonly by: User;
}

interface Common {
  readonly id: string;
  readonly owner: User;
  readonly creator: User;
  readonly createdAt: Date;
  name: string;
  description: string;
  parent: Folder | undefined;
  modifiedAt: Date;
  modifiedBy: User;
  /** Grows with each change; also the sequence id. */
  etag: number;
  link: SharedLink | undefined;
  marked: { readonly createdAt: Date; modifiedAt: Date } | undefined;
  readonly collaborations: Set<Collaboration>;
  /** By scope and template key. */
  readonly metadata: Map<string, MetadataInstance>;
}

export interface MetadataInstance {
  readonly id: string;
  readonly scope: string;
  readonly template: string;
  version: number;
  values: Record<string, unknown>;
}

export interface File extends Common {
  readonly kind: "file";
  readonly parent: Folder;
  /** Newest last. */
  readonly versions: FileVersion[];
  contentCreatedAt: Date;
  contentModifiedAt: Date;
  /** Downloads to be answered with 202 still. */
  notReady: number;
}

export interface Folder extends Common {
  readonly kind: "folder";
  /** By name in lower case: two names that differ in case only are one to Box. */
  readonly children: Map<string, Item>;
  /** Names that an upload is about to take, and whose. */
  readonly reserved: Map<string, object>;
}

export type Item = File | Folder;

export function currentVersion(file: File): FileVersion {
  const version = file.versions.at(-1);
  if (version === undefined) throw new Error(`File ${file.id} has no version.`);
  return version;
}

/** The item and what it lies in, innermost first. */
export function* withParents(item: Item): Generator<Item> {
  for (let at: Item | undefined = item; at !== undefined; at = at.parent) yield at;
}

export function isRoot(item: Item): boolean {
  return item.parent === undefined;
}

/** Whether the item or a folder that it lies in is marked. */
export function isMarked(item: Item): boolean {
  return [...withParents(item)].some((one) => one.marked !== undefined);
}

export function* everythingIn(folder: Folder): Generator<Item> {
  for (const child of folder.children.values()) {
    yield child;
    if (child.kind === "folder") yield* everythingIn(child);
  }
}
