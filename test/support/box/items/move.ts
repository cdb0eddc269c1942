import { folderFor, rightsOn } from "../accounts/rights.ts";
import { forbidden } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { idIn, objectIn, textIn, type Json } from "../http/json.ts";
import type { World } from "../world.ts";
import { isRoot, withParents, type Item } from "./items.ts";
import { checkedName, namesake, checkNameFree } from "./names.ts";

/** The part of an update that renames, moves and describes. */
export function move(world: World, call: Call, item: Item, body: Json): void {
  const { user } = call.access;
  const wanted = textIn(body, "name");
  const parentId = idIn(objectIn(body, "parent"), "id");
  const description = textIn(body, "description");
  if (wanted === undefined && parentId === undefined && description === undefined) return;
  if (!rightsOn(world, call.access, item).has("edit")) throw forbidden();
  if (description !== undefined) item.description = description;
  const parent = parentId === undefined ? item.parent : folderFor(world, call, "upload", parentId);
  if (parent === undefined || isRoot(item)) throw forbidden();
  for (const one of withParents(parent)) if (one === item) throw forbidden();
  const name = wanted === undefined ? item.name : checkedName(wanted);
  if (namesake(parent, name) !== item) checkNameFree(parent, name, item.kind);
  const moved = parent !== item.parent;
  if (moved || name !== item.name) {
    world.tree.rename(item, name, parent);
    world.events.add(moved ? "MOVE" : "RENAME", user, item);
  }
  world.tree.changed(item, user, world.now());
}
