import { forbidden, notFound, Refusal } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import type { File, Folder, Item } from "../items/items.ts";
import { withParents } from "../items/items.ts";
import type { World } from "../world.ts";
import { checkWithin, type Access } from "./access.ts";

/** What somebody may do with an item. `enter` is to see that a folder is there. */
export type Right =
  "enter" | "see" | "download" | "upload" | "edit" | "share" | "invite" | "watermark" | "own";

export const roles = [
  "owner",
  "co-owner",
  "editor",
  "viewer uploader",
  "previewer uploader",
  "viewer",
  "previewer",
  "uploader",
] as const;
export type Role = (typeof roles)[number];

const editing = ["enter", "see", "download", "upload", "edit", "share", "invite", "watermark"];

/** From Box's table of roles. */
const rightsOfRole: Record<Role, readonly string[]> = {
  owner: [...editing, "own"],
  "co-owner": [...editing, "own"],
  editor: editing,
  "viewer uploader": ["enter", "see", "download", "upload", "share"],
  "previewer uploader": ["enter", "see", "upload"],
  viewer: ["enter", "see", "download", "share"],
  previewer: ["enter", "see"],
  uploader: ["enter", "upload"],
};

/** All that the asker may do with the item. An uploader sees no files. */
export function rightsOn(world: World, access: Access, item: Item): ReadonlySet<string> {
  if (item.owner === access.user) return new Set(rightsOfRole.owner);
  const rights = new Set<string>();
  for (const one of withParents(item)) {
    for (const { user, role, accepted } of world.collaborations.on(one)) {
      if (user !== access.user || !accepted) continue;
      for (const right of rightsOfRole[role]) rights.add(right);
    }
    if (one === access.linked && one.link !== undefined) {
      for (const right of world.links.rights(one.link)) rights.add(right);
    }
  }
  if (item.kind === "file") rights.delete("enter");
  return rights;
}

/** The file that a path names, for somebody who has the right. Without access it is as if it were not there. */
export function fileFor(world: World, call: Call, right: Right, id = call.param("id")): File {
  const file = world.tree.files.get(numeric(id));
  if (file === undefined) throw notFound();
  return permitted(world, call.access, file, right, "see");
}

/** The folder that a path names, `0` being the asker's own. */
export function folderFor(world: World, call: Call, right: Right, id = call.param("id")): Folder {
  const { user } = call.access;
  const folder = id === "0" ? user.root : world.tree.folders.get(numeric(id));
  if (folder === undefined) throw notFound();
  return permitted(world, call.access, folder, right, "enter");
}

function permitted<T extends Item>(
  world: World,
  access: Access,
  item: T,
  right: Right,
  least: Right,
): T {
  checkWithin(access, item);
  const rights = rightsOn(world, access, item);
  if (!rights.has(least)) throw notFound();
  if (!rights.has(right)) throw forbidden();
  return item;
}

/** Box answers ids that are none with 405. */
export function numeric(id: string): string {
  if (/^\d{1,20}$/.test(id)) return id;
  throw new Refusal(405, "method_not_allowed", "Method Not Allowed");
}
