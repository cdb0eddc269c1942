import { fileFor, folderFor, numeric, rightsOn } from "../accounts/rights.ts";
import { badRequest, notFound, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { idIn, objectIn, textIn } from "../http/json.ts";
import { changeLink } from "../sharing/change-link.ts";
import type { World } from "../world.ts";
import { checkRoom } from "./arrival.ts";
import { itemBody } from "./bodies.ts";
import { boxDate } from "./dates.ts";
import { currentVersion, isMarked } from "./items.ts";
import { move } from "./move.ts";
import { checkedName, checkNameFree } from "./names.ts";
import { checkIfMatch } from "./tree.ts";
import { userMini } from "../accounts/users.ts";

/** `GET /files/:id` */
export function getFile(world: World, call: Call): Answer {
  const file = fileFor(world, call, "see");
  if (file.link !== undefined) world.links.expire(file.link);
  return { status: 200, json: itemBody(world, call.access, file, call.fields) };
}

/** `PUT /files/:id`: rename, move, describe, share. */
export async function updateFile(world: World, call: Call): Promise<Answer> {
  const file = fileFor(world, call, "see");
  const body = await call.json();
  checkIfMatch(call, file);
  move(world, call, file, body);
  changeLink(world, call, file, body);
  return { status: 200, json: itemBody(world, call.access, file, call.fields) };
}

/** `DELETE /files/:id` */
export function deleteFile(world: World, call: Call): Answer {
  const file = fileFor(world, call, "edit");
  checkIfMatch(call, file);
  world.events.add("DELETE", call.access.user, file);
  world.tree.remove(file);
  return { status: 204 };
}

/** `GET /files/:id/content`: where to fetch it, or that it is not ready. */
export function downloadFile(world: World, call: Call): Answer {
  const file = fileFor(world, call, "download");
  const wanted = call.query.get("version");
  const version =
    wanted === null ? currentVersion(file) : file.versions.find(({ id }) => id === numeric(wanted));
  if (version === undefined) throw notFound();
  if (file.notReady > 0) {
    file.notReady -= 1;
    return { status: 202, headers: { "retry-after": String(world.settings.retryAfterSeconds) } };
  }
  // Who may only look gets a marked rendition of a marked file, which is not made here.
  const asMarked = isMarked(file) && !rightsOn(world, call.access, file).has("upload");
  const type = asMarked ? "FILE_WATERMARKED_DOWNLOAD" : "DOWNLOAD";
  world.events.add(type, call.access.user, file);
  if (call.access.linked !== undefined && file.link !== undefined) file.link.downloads += 1;
  return { status: 302, headers: { location: world.downloads.address(file, version.content) } };
}

/** `POST /files/:id/copy`: a copy at the server, without the link and the collaborations. */
export async function copyFile(world: World, call: Call): Promise<Answer> {
  const file = fileFor(world, call, "download");
  const body = await call.json();
  const parentId = idIn(objectIn(body, "parent"), "id");
  if (parentId === undefined) throw badRequest("'parent' is required");
  const folder = folderFor(world, call, "upload", parentId);
  const name = checkedName(textIn(body, "name") ?? file.name);
  checkNameFree(folder, name, "file");
  const content = { ...currentVersion(file).content };
  checkRoom(world, folder.owner, content.size);
  const { user } = call.access;
  const copy = world.tree.addFile(folder, { name, by: user, now: world.now() }, content, 0);
  copy.contentCreatedAt = file.contentCreatedAt;
  copy.contentModifiedAt = file.contentModifiedAt;
  if (file.marked !== undefined) copy.marked = { createdAt: world.now(), modifiedAt: world.now() };
  world.events.add("COPY", user, copy);
  return { status: 201, json: itemBody(world, call.access, copy, call.fields) };
}

/** `GET /files/:id/versions`: the older ones, newest first. */
export function fileVersions(world: World, call: Call): Answer {
  const file = fileFor(world, call, "see");
  const entries = file.versions
    .slice(0, -1)
    .reverse()
    .map(({ id, content, createdAt, by }) => ({
      type: "file_version",
      id,
      sha1: content.sha1,
      name: file.name,
      size: content.size,
      created_at: boxDate(createdAt),
      modified_at: boxDate(createdAt),
      modified_by: userMini(by),
    }));
  return { status: 200, json: { total_count: entries.length, offset: 0, limit: 100, entries } };
}
