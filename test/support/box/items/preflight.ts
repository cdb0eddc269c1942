import { fileFor, folderFor } from "../accounts/rights.ts";
import { badRequest, type Answer } from "../http/answer.ts";
import type { Call } from "../http/call.ts";
import { idIn, objectIn, textIn } from "../http/json.ts";
import type { World } from "../world.ts";
import { checkRoom } from "./arrival.ts";
import { checkedName, checkNameFree, namesake } from "./names.ts";

/** `OPTIONS /files/content`: whether a new file would be taken. */
export async function preflight(world: World, call: Call): Promise<Answer> {
  const body = await call.json();
  const name = checkedName(textIn(body, "name"));
  const parentId = idIn(objectIn(body, "parent"), "id");
  if (parentId === undefined) throw badRequest("'parent' is required");
  const folder = folderFor(world, call, "upload", parentId);
  checkNameFree(folder, name, "file");
  checkRoom(world, folder.owner, sizeIn(body["size"]));
  return { status: 200, json: answer(world, "files/content") };
}

/** `OPTIONS /files/:id/content`: whether a new version would be taken. */
export async function versionPreflight(world: World, call: Call): Promise<Answer> {
  const file = fileFor(world, call, "edit");
  const body = await call.json();
  const name = textIn(body, "name");
  if (name !== undefined && namesake(file.parent, checkedName(name)) !== file) {
    checkNameFree(file.parent, name, "file");
  }
  checkRoom(world, file.owner, sizeIn(body["size"]));
  return { status: 200, json: answer(world, `files/${file.id}/content`) };
}

function answer(world: World, path: string): Record<string, unknown> {
  return { upload_url: `${world.origins.upload}/api/2.0/${path}`, upload_token: null };
}

function sizeIn(size: unknown): number {
  if (size === undefined || size === null) return 0;
  if (typeof size === "number" && size >= 0) return size;
  throw badRequest("Invalid value for size");
}
