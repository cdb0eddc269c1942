import { folderFor, rightsOn } from "../accounts/rights.ts";
import type { Access } from "../accounts/access.ts";
import { forbidden, Refusal, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { idIn, objectIn, textIn } from "../http/json.ts";
import { changeLink } from "../sharing/change-link.ts";
import type { World } from "../world.ts";
import { itemBody, miniBody } from "./bodies.ts";
import { isRoot, type Folder, type Item } from "./items.ts";
import { checkedName, checkNameFree } from "./names.ts";
import { pageOf } from "./paging.ts";
import { move } from "./move.ts";
import { checkIfMatch } from "./tree.ts";

/** `POST /folders` */
export async function createFolder(world: World, call: Call): Promise<Answer> {
  const body = await call.json();
  const name = checkedName(textIn(body, "name"));
  const parent = folderFor(world, call, "upload", idIn(objectIn(body, "parent"), "id") ?? "");
  checkNameFree(parent, name, "folder");
  const { user } = call.access;
  const folder = world.tree.addFolder(parent, { name, by: user, now: world.now() });
  world.events.add("CREATE", user, folder);
  return { status: 201, json: wholeFolder(world, call, folder) };
}

/** `GET /folders/:id` */
export function getFolder(world: World, call: Call): Answer {
  const folder = folderFor(world, call, "enter");
  if (folder.link !== undefined) world.links.expire(folder.link);
  return { status: 200, json: wholeFolder(world, call, folder) };
}

/** `GET /folders/:id/items` */
export function folderItems(world: World, call: Call): Answer {
  const folder = folderFor(world, call, "enter");
  const visible = childrenSeen(world, call.access, folder);
  const limits = { usual: 100, most: 1000, ours: world.settings.pageEntries };
  const { entries, about } = pageOf(call, visible, limits);
  const order = [
    { by: "type", direction: "ASC" },
    { by: "name", direction: "ASC" },
  ];
  const bodies = entries.map((item) =>
    call.fields === undefined ? miniBody(item) : itemBody(world, call.access, item, call.fields),
  );
  const ordered = call.query.get("usemarker") === "true" ? {} : { order };
  return { status: 200, json: { ...about, ...ordered, entries: bodies } };
}

/** `PUT /folders/:id`: rename, move, describe, share. */
export async function updateFolder(world: World, call: Call): Promise<Answer> {
  const folder = folderFor(world, call, "enter");
  const body = await call.json();
  checkIfMatch(call, folder);
  if (isRoot(folder)) throw forbidden();
  move(world, call, folder, body);
  changeLink(world, call, folder, body);
  return { status: 200, json: itemBody(world, call.access, folder, call.fields) };
}

/** `DELETE /folders/:id` */
export function deleteFolder(world: World, call: Call): Answer {
  const folder = folderFor(world, call, "edit");
  checkIfMatch(call, folder);
  if (isRoot(folder)) throw forbidden();
  if (folder.children.size > 0 && call.query.get("recursive") !== "true") {
    throw new Refusal(400, "folder_not_empty", "Cannot delete - folder not empty");
  }
  world.events.add("DELETE", call.access.user, folder);
  world.tree.remove(folder);
  return { status: 204 };
}

/** What lies in a folder, for the asker: folders first, then by name. What others shared lies in the asker's root. */
function childrenSeen(world: World, access: Access, folder: Folder): Item[] {
  const children = [...folder.children.values()];
  if (isRoot(folder)) children.push(...sharedWith(world, access, folder));
  const seen =
    folder.owner === access.user
      ? children
      : children.filter((child) =>
          rightsOn(world, access, child).has(child.kind === "folder" ? "enter" : "see"),
        );
  return seen.sort(
    (a, b) =>
      Number(a.kind === "file") - Number(b.kind === "file") ||
      (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
}

function* sharedWith(world: World, access: Access, root: Folder): Generator<Item> {
  if (root.owner !== access.user) return;
  for (const { user, accepted, item } of world.collaborations.all()) {
    if (user === access.user && accepted) yield item;
  }
}

/** With the first entries, as Box has it for one folder. */
function wholeFolder(world: World, call: Call, folder: Folder): Record<string, unknown> {
  const json = itemBody(world, call.access, folder, call.fields);
  if (call.fields !== undefined && !call.fields.includes("item_collection")) return json;
  const visible = childrenSeen(world, call.access, folder);
  const entries = visible.slice(0, 100).map(miniBody);
  const order = [
    { by: "type", direction: "ASC" },
    { by: "name", direction: "ASC" },
  ];
  const about = { total_count: visible.length, offset: 0, limit: 100, order };
  return { ...json, item_collection: { ...about, entries } };
}
